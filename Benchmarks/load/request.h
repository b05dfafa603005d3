/* One request after another, each different from all others by its numbers only, so that making one
   costs a few digits and one HMAC. */
#ifndef GATEHOUSE_BENCHMARK_REQUEST_H
#define GATEHOUSE_BENCHMARK_REQUEST_H

#include <openssl/sha.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { REQUEST_CAPACITY = 16384 };

struct request_options {
    const char *host;
    int port;
    const char *path;
    /* NULL: not signed. */
    const char *secret;
    /* Of Sine, whose check-in requests are posted then; NULL: sign-ins of Sign In App. */
    const char *api_key;
    /* Of the body, in bytes. */
    size_t size;
};

/* The text of the next request; patched in place. */
struct request {
    char text[REQUEST_CAPACITY];
    size_t length;
    char *body;
    size_t size;
    /* What differs from event to event. */
    char *key;
    char *visitor;
    /* Where the signature's parts stand; NULL when nothing is signed. */
    char *timestamp;
    char *signature;
    time_t signed_at;
    uint64_t run;
    uint64_t number;
    /* SHA-256 after the key's inner and outer block (RFC 2104). */
    SHA256_CTX inner, outer;
};

/* Returns 0, or -1 when the body would not have exactly that size. */
int request_prepare(struct request *request, const struct request_options *options);

/* Makes the next event of it, signed at `now`. */
void request_next(struct request *request, time_t now);

/* A number no earlier run had. */
uint64_t request_run_number(void);

#endif
