#ifndef GATEHOUSE_CMICROHTTPD_SHIM_H
#define GATEHOUSE_CMICROHTTPD_SHIM_H

#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* What a daemon is started with. MHD_start_daemon and MHD_OptionItem take callbacks as untyped words; here they have
   their types, so that a wrong signature does not compile. */
struct gatehouse_mhd_settings {
    unsigned int threads;
    unsigned int connection_limit;
    size_t connection_memory;
    int strict_for_client;
    /* NULL: no TLS. */
    const char *_Nullable tls_priorities;
    /* A gnutls_certificate_retrieve_function2; used with tls_priorities. */
    void *_Nullable certificate_callback;
    void *_Nonnull context;
    MHD_AccessHandlerCallback _Nonnull handler;
    MHD_RequestCompletedCallback _Nonnull completed;
    MHD_NotifyConnectionCallback _Nonnull connection_changed;
    void *_Nullable (*_Nonnull target_received)(void *_Nullable, const char *_Nullable, struct MHD_Connection *_Nullable);
    size_t (*_Nonnull unescape)(void *_Nullable, struct MHD_Connection *_Nullable, char *_Nullable);
};

/* epoll worker threads without a listening socket: connections are handed in by MHD_add_connection. */
static inline struct MHD_Daemon *_Nullable
gatehouse_mhd_start(const struct gatehouse_mhd_settings *_Nonnull settings) {
    unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ITC
        | MHD_ALLOW_SUSPEND_RESUME;
    struct MHD_OptionItem pool[] = {
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    if (settings->threads > 1) {
        pool[0].option = MHD_OPTION_THREAD_POOL_SIZE;
        pool[0].value = (intptr_t)settings->threads;
    }
    if (settings->tls_priorities != NULL) {
        flags |= MHD_USE_TLS;
        tls[0].option = MHD_OPTION_HTTPS_PRIORITIES;
        tls[0].ptr_value = (void *)settings->tls_priorities;
        tls[1].option = MHD_OPTION_HTTPS_CERT_CALLBACK;
        tls[1].ptr_value = settings->certificate_callback;
    }
    return MHD_start_daemon(
        flags, 0, NULL, NULL, settings->handler, settings->context,
        MHD_OPTION_NOTIFY_COMPLETED, settings->completed, settings->context,
        MHD_OPTION_NOTIFY_CONNECTION, settings->connection_changed, settings->context,
        MHD_OPTION_URI_LOG_CALLBACK, settings->target_received, settings->context,
        MHD_OPTION_UNESCAPE_CALLBACK, settings->unescape, settings->context,
        MHD_OPTION_CONNECTION_LIMIT, settings->connection_limit,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, settings->connection_memory,
        MHD_OPTION_CONNECTION_TIMEOUT, 0u,
        MHD_OPTION_STRICT_FOR_CLIENT, settings->strict_for_client,
        MHD_OPTION_ARRAY, pool,
        MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
}

/* -1 when it has none. */
static inline int gatehouse_mhd_descriptor(struct MHD_Connection *_Nonnull connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info == NULL ? -1 : info->connect_fd;
}

static inline void *_Nullable gatehouse_mhd_socket_context(struct MHD_Connection *_Nonnull connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

/* Bytes from the method to the end of the empty line; 0 when it is not known yet. */
static inline size_t gatehouse_mhd_header_size(struct MHD_Connection *_Nonnull connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info == NULL ? 0 : info->header_size;
}

/* The status of the queued response; 0 when there is none. */
static inline unsigned int gatehouse_mhd_status(struct MHD_Connection *_Nonnull connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_HTTP_STATUS);
    return info == NULL ? 0 : info->http_status;
}

/* NULL without TLS. */
static inline void *_Nullable gatehouse_mhd_tls_session(struct MHD_Connection *_Nonnull connection) {
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info == NULL ? NULL : info->tls_session;
}

/* Fields of the header section the library took down. */
static inline int gatehouse_mhd_header_count(struct MHD_Connection *_Nonnull connection) {
    return MHD_get_connection_values(connection, MHD_HEADER_KIND, NULL, NULL);
}

static inline void gatehouse_mhd_each_header(
    struct MHD_Connection *_Nonnull connection, MHD_KeyValueIteratorN _Nonnull each, void *_Nonnull context) {
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, each, context);
}

/* Its closed enums come to Swift without the names of their values. */
static inline _Bool gatehouse_mhd_has_started(enum MHD_ConnectionNotificationCode code) {
    return code == MHD_CONNECTION_NOTIFY_STARTED;
}

static inline _Bool gatehouse_mhd_is_complete(enum MHD_RequestTerminationCode code) {
    return code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
}

static inline _Bool gatehouse_mhd_is_shutdown(enum MHD_RequestTerminationCode code) {
    return code == MHD_REQUEST_TERMINATED_DAEMON_SHUTDOWN;
}

/* Sockets for MHD_add_connection. accept4 is a GNU extension, which Swift's Glibc module leaves out. */
extern int accept4(int, struct sockaddr *, socklen_t *, int);

static inline int gatehouse_mhd_accept(
    int listener, struct sockaddr *_Nonnull address, socklen_t *_Nonnull length) {
    return accept4(listener, address, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* How long ago the last bytes came in on a TCP socket; 0 where that is not known. */
static inline unsigned gatehouse_milliseconds_since_data(int descriptor) {
    struct tcp_info information;
    socklen_t length = sizeof information;
    if (getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &information, &length) != 0 ||
        length < offsetof(struct tcp_info, tcpi_last_data_recv) + sizeof information.tcpi_last_data_recv) {
        return 0;
    }
    return information.tcpi_last_data_recv;
}

/* A response that holds its own copy of the body. */
static inline struct MHD_Response *_Nullable gatehouse_mhd_response(size_t size, const void *_Nullable body) {
    return MHD_create_response_from_buffer(size, (void *)body, MHD_RESPMEM_MUST_COPY);
}

#endif
