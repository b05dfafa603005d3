#ifndef GATEHOUSE_CMIMALLOC_SHIM_H
#define GATEHOUSE_CMIMALLOC_SHIM_H

#include <mimalloc.h>

#endif
