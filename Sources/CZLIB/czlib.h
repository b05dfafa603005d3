#ifndef GATEHOUSE_CZLIB_H
#define GATEHOUSE_CZLIB_H

#include <zlib.h>

/// `deflateInit2` is a macro. `windowBits` of 15 + 16 writes gzip's header and trailer, without a name or a time.
static inline int gatehouse_gzip_init(z_stream *_Nonnull stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

#endif
