#ifndef GATEHOUSE_CGNUTLS_SHIM_H
#define GATEHOUSE_CGNUTLS_SHIM_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/* gnutls_certificate_retrieve_function2 with what the library owns stated: the certificates and the key stay the
   application's. */
typedef int (*gatehouse_gnutls_certificate_callback)(
    gnutls_session_t _Nonnull session, const gnutls_datum_t *_Nullable authorities, int authority_count,
    const gnutls_pk_algorithm_t *_Nullable algorithms, int algorithm_count,
    gnutls_pcert_st *_Nullable *_Nonnull certificates, unsigned int *_Nonnull certificate_count,
    gnutls_privkey_t _Nullable *_Nonnull key);

static inline void *_Nonnull gatehouse_gnutls_callback(gatehouse_gnutls_certificate_callback _Nonnull callback) {
    return (void *)callback;
}

#endif
