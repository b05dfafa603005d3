#ifndef GATEHOUSE_CRDKAFKA_SHIM_H
#define GATEHOUSE_CRDKAFKA_SHIM_H

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sys/socket.h>

/* Swift does not import variadic functions. `headers` is taken over where the record was taken, as is `opaque`; both bytes
   are copied. Partition -1: chosen by the key, or at random where there is none. Timestamp 0: now. Absent bytes (NULL) are
   not the same as none (a pointer and length 0). */
static inline rd_kafka_resp_err_t gatehouse_kafka_produce(
    rd_kafka_t *_Nonnull client, const char *_Nonnull topic, int32_t partition, int64_t timestamp_milliseconds,
    const void *_Nullable key, size_t key_length, const void *_Nullable value, size_t value_length,
    rd_kafka_headers_t *_Nullable headers, void *_Nullable opaque) {
    return rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_TIMESTAMP(timestamp_milliseconds),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, key_length),
        RD_KAFKA_V_VALUE((void *)value, value_length), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque),
        RD_KAFKA_V_END);
}

/* `connect_cb` with types that Swift takes. */
static inline void gatehouse_kafka_set_connect(
    rd_kafka_conf_t *_Nonnull configuration,
    int (*_Nonnull connect)(
        int descriptor, const struct sockaddr *_Nullable address, int length, const char *_Nullable broker,
        void *_Nullable opaque)) {
    rd_kafka_conf_set_connect_cb(configuration, connect);
}

#endif
