#ifndef GATEHOUSE_CCURL_SHIM_H
#define GATEHOUSE_CCURL_SHIM_H

#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
/* What waits for libcurl's sockets; Swift's Glibc module leaves these two out. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
/* What tells how a connection is. */
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Swift does not import variadic functions: one function per type of value, and one per type of callback. The names in
   parentheses are the functions behind curl's type-checking macros. */

static inline CURLcode gatehouse_curl_set_long(CURL *_Nonnull easy, CURLoption option, long value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_size(CURL *_Nonnull easy, CURLoption option, curl_off_t value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_text(CURL *_Nonnull easy, CURLoption option, const char *_Nullable value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_list(
    CURL *_Nonnull easy, CURLoption option, struct curl_slist *_Nullable value) {
    return (curl_easy_setopt)(easy, option, value);
}

static inline CURLcode gatehouse_curl_set_pointer(CURL *_Nonnull easy, CURLoption option, void *_Nullable value) {
    return (curl_easy_setopt)(easy, option, value);
}

/* CURLOPT_WRITEFUNCTION and CURLOPT_HEADERFUNCTION. */
static inline CURLcode gatehouse_curl_set_receiver(
    CURL *_Nonnull easy, CURLoption option,
    size_t (*_Nonnull receiver)(char *_Nullable bytes, size_t size, size_t count, void *_Nullable context)) {
    return (curl_easy_setopt)(easy, option, receiver);
}

static inline CURLcode gatehouse_curl_set_open_socket(
    CURL *_Nonnull easy,
    curl_socket_t (*_Nonnull open)(
        void *_Nullable context, curlsocktype purpose, struct curl_sockaddr *_Nullable address)) {
    return (curl_easy_setopt)(easy, CURLOPT_OPENSOCKETFUNCTION, open);
}

static inline CURLcode gatehouse_curl_set_before_request(
    CURL *_Nonnull easy,
    int (*_Nonnull before)(
        void *_Nullable context, char *_Nullable remoteAddress, char *_Nullable localAddress, int remotePort,
        int localPort)) {
    return (curl_easy_setopt)(easy, CURLOPT_PREREQFUNCTION, before);
}

static inline CURLcode gatehouse_curl_set_before_lookup(
    CURL *_Nonnull easy,
    int (*_Nonnull before)(void *_Nullable resolver, void *_Nullable reserved, void *_Nullable context)) {
    return (curl_easy_setopt)(easy, CURLOPT_RESOLVER_START_FUNCTION, before);
}

static inline CURLMcode gatehouse_curl_multi_set_long(CURLM *_Nonnull multi, CURLMoption option, long value) {
    return (curl_multi_setopt)(multi, option, value);
}

static inline CURLcode gatehouse_curl_set_close_socket(
    CURL *_Nonnull easy, int (*_Nonnull close)(void *_Nullable context, curl_socket_t socket)) {
    return (curl_easy_setopt)(easy, CURLOPT_CLOSESOCKETFUNCTION, close);
}

static inline CURLMcode gatehouse_curl_multi_set_socket(
    CURLM *_Nonnull multi, void *_Nonnull context,
    int (*_Nonnull want)(
        CURL *_Nullable easy, curl_socket_t socket, int what, void *_Nullable context, void *_Nullable ofSocket)) {
    CURLMcode set = (curl_multi_setopt)(multi, CURLMOPT_SOCKETDATA, context);
    return set != CURLM_OK ? set : (curl_multi_setopt)(multi, CURLMOPT_SOCKETFUNCTION, want);
}

static inline CURLMcode gatehouse_curl_multi_set_timer(
    CURLM *_Nonnull multi, void *_Nonnull context,
    int (*_Nonnull set)(CURLM *_Nullable multi, long milliseconds, void *_Nullable context)) {
    CURLMcode result = (curl_multi_setopt)(multi, CURLMOPT_TIMERDATA, context);
    return result != CURLM_OK ? result : (curl_multi_setopt)(multi, CURLMOPT_TIMERFUNCTION, set);
}

static inline CURLcode gatehouse_curl_get_long(CURL *_Nonnull easy, CURLINFO info, long *_Nonnull value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode gatehouse_curl_get_pointer(
    CURL *_Nonnull easy, CURLINFO info, void *_Nullable *_Nonnull value) {
    return (curl_easy_getinfo)(easy, info, value);
}

static inline CURLcode gatehouse_curl_get_socket(CURL *_Nonnull easy, curl_socket_t *_Nonnull value) {
    return (curl_easy_getinfo)(easy, CURLINFO_ACTIVESOCKET, value);
}

/* The result of a finished transfer lies in a union; the handle it belongs to beside it. NULL for other messages. */
static inline CURL *_Nullable gatehouse_curl_finished(const CURLMsg *_Nonnull message, CURLcode *_Nonnull result) {
    if (message->msg != CURLMSG_DONE) {
        return NULL;
    }
    *result = message->data.result;
    return message->easy_handle;
}

/* The TLS session of the connection that the handle uses now; NULL without one. */
static inline SSL *_Nullable gatehouse_curl_tls(CURL *_Nonnull easy) {
    struct curl_tlssessioninfo *session = NULL;
    if ((curl_easy_getinfo)(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || session == NULL ||
        session->backend != CURLSSLBACKEND_OPENSSL) {
        return NULL;
    }
    return (SSL *)session->internals;
}

/* Tells the peer, by TLS where there is TLS and by TCP, that nothing more comes; what it says is still read. */
static inline void gatehouse_curl_end_sending(CURL *_Nonnull easy, curl_socket_t descriptor) {
    SSL *tls = gatehouse_curl_tls(easy);
    if (tls != NULL) {
        SSL_shutdown(tls);
    }
    shutdown(descriptor, SHUT_WR);
}

/* Whether the peer's system has acknowledged every byte of a TCP connection. */
static inline int gatehouse_tcp_is_acknowledged(int descriptor) {
    int unacknowledged = 0;
    return ioctl(descriptor, SIOCOUTQ, &unacknowledged) == 0 && unacknowledged == 0;
}

/* How far an established connection has come, in bytes of TCP since it was opened: what its peer's system has acknowledged,
   and all that it was given. 1 when it stands and its peer was heard from within `milliseconds`. */
static inline int gatehouse_tcp_progress(int descriptor, unsigned milliseconds, uint64_t *_Nonnull acknowledged,
                                         uint64_t *_Nonnull given) {
    /* The kernel's struct, of which the C library's is the beginning: tcpi_bytes_acked is its 120th byte (tcp(7)). */
    unsigned char raw[128];
    struct tcp_info info;
    socklen_t size = sizeof raw;
    int unacknowledged = 0;
    if (ioctl(descriptor, SIOCOUTQ, &unacknowledged) != 0 ||
        getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, raw, &size) != 0 || size < sizeof raw) {
        return 0;
    }
    memcpy(&info, raw, sizeof info < sizeof raw ? sizeof info : sizeof raw);
    memcpy(acknowledged, raw + 120, sizeof *acknowledged);
    *given = *acknowledged + (uint64_t)unacknowledged;
    return info.tcpi_state == TCP_ESTABLISHED && info.tcpi_last_ack_recv <= milliseconds;
}

/* SHA-256 of the peer's certificate (DER) on the connection that the transfer uses now: 1 when `digest` was filled. */
static inline int gatehouse_curl_peer_certificate_sha256(CURL *_Nonnull easy, unsigned char digest[_Nonnull 32]) {
    SSL *tls = gatehouse_curl_tls(easy);
    if (tls == NULL) {
        return 0;
    }
    X509 *certificate = SSL_get1_peer_certificate(tls);
    if (certificate == NULL) {
        return 0;
    }
    unsigned int length = 0;
    int hashed = X509_digest(certificate, EVP_sha256(), digest, &length);
    X509_free(certificate);
    return hashed == 1 && length == 32;
}

/* The pin of that certificate's public key (RFC 7469), as `sha256//` and Base64: 1 when `pin` was filled. */
static inline int gatehouse_curl_peer_key_pin(CURL *_Nonnull easy, char pin[_Nonnull 56]) {
    SSL *tls = gatehouse_curl_tls(easy);
    X509 *certificate = tls == NULL ? NULL : SSL_get1_peer_certificate(tls);
    if (certificate == NULL) {
        return 0;
    }
    unsigned char *key = NULL;
    unsigned char digest[32];
    unsigned int length = 0;
    int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &key);
    X509_free(certificate);
    int hashed = size > 0 && EVP_Digest(key, (size_t)size, digest, &length, EVP_sha256(), NULL) == 1 && length == 32;
    OPENSSL_free(key);
    if (!hashed) {
        return 0;
    }
    memcpy(pin, "sha256//", 8);
    EVP_EncodeBlock((unsigned char *)pin + 8, digest, 32);
    return 1;
}

#endif
