#ifndef GATEHOUSE_COPENSSL_SHIM_H
#define GATEHOUSE_COPENSSL_SHIM_H

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

/* EVP_PKEY_ED25519 is a macro over another macro, which Swift does not import. */
static inline int gatehouse_ed25519(void) {
    return EVP_PKEY_ED25519;
}

#endif
