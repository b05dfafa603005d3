/* Publishes records with librdkafka and nothing else, and prints how many a second were acknowledged by all in-sync
   replicas, and after what time: what the intake's share of it is measured against. One line of JSON. */
#define _GNU_SOURCE
#include "../load/histogram.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAXIMUM_SIZE = 1 << 20, KEYS = 100000 };

struct options {
    const char *brokers, *topic;
    size_t size;
    double seconds, warmup;
    /* Records that wait for their acknowledgement at most; 0: as many as librdkafka's queue holds. */
    int in_flight;
};

struct run {
    uint64_t measure_from, measure_until;
    uint64_t under_way, acknowledged, measured, failed;
    struct histogram latency;
};

static uint64_t monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void delivered(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque) {
    (void)client;
    struct run *run = opaque;
    run->under_way--;
    if (message->err) {
        if (run->failed++ == 0) fprintf(stderr, "%s\n", rd_kafka_err2str(message->err));
        return;
    }
    uint64_t now = monotonic();
    run->acknowledged++;
    if (now < run->measure_from || now >= run->measure_until) return;
    run->measured++;
    /* The time it was published at is carried where a program would carry its own record. */
    histogram_add(&run->latency, now - (uint64_t)(uintptr_t)message->_private);
}

static void set(rd_kafka_conf_t *configuration, const char *name, const char *value) {
    char error[512];
    if (rd_kafka_conf_set(configuration, name, value, error, sizeof error) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
}

static rd_kafka_t *make_client(const struct options *options, struct run *run) {
    rd_kafka_conf_t *configuration = rd_kafka_conf_new();
    set(configuration, "bootstrap.servers", options->brokers);
    set(configuration, "acks", "all");
    set(configuration, "enable.idempotence", "true");
    rd_kafka_conf_set_dr_msg_cb(configuration, delivered);
    rd_kafka_conf_set_opaque(configuration, run);
    char error[512];
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_PRODUCER, configuration, error, sizeof error);
    if (!client) {
        fprintf(stderr, "%s\n", error);
        exit(1);
    }
    return client;
}

static void publish(rd_kafka_t *client, const struct options *options, struct run *run) {
    static char value[MAXIMUM_SIZE];
    memset(value, 'x', options->size);
    uint64_t number = 0;
    while (monotonic() < run->measure_until) {
        if (options->in_flight > 0 && run->under_way >= (uint64_t)options->in_flight) {
            rd_kafka_poll(client, 100);
            continue;
        }
        char key[32];
        int length = snprintf(key, sizeof key, "4567/%llu", (unsigned long long)(number % KEYS));
        rd_kafka_resp_err_t error = rd_kafka_producev(
            client, RD_KAFKA_V_TOPIC(options->topic), RD_KAFKA_V_KEY(key, (size_t)length),
            RD_KAFKA_V_VALUE(value, options->size), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_OPAQUE((void *)(uintptr_t)monotonic()), RD_KAFKA_V_END);
        if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(client, 10);
        } else if (error) {
            fprintf(stderr, "%s\n", rd_kafka_err2str(error));
            exit(1);
        } else {
            number++;
            run->under_way++;
            if (number % 16 == 0) rd_kafka_poll(client, 0);
        }
    }
}

static void usage(void) {
    fputs("usage: producer --brokers B --topic T [--size 1000] [--seconds 10] [--warmup 1] [--in-flight N]\n", stderr);
    exit(2);
}

static struct options read_options(int count, char **arguments) {
    struct options options = {.size = 1000, .seconds = 10, .warmup = 1};
    for (int index = 1; index + 1 < count; index += 2) {
        const char *name = arguments[index], *value = arguments[index + 1];
        if (strcmp(name, "--brokers") == 0) options.brokers = value;
        else if (strcmp(name, "--topic") == 0) options.topic = value;
        else if (strcmp(name, "--size") == 0) options.size = strtoul(value, NULL, 10);
        else if (strcmp(name, "--seconds") == 0) options.seconds = atof(value);
        else if (strcmp(name, "--warmup") == 0) options.warmup = atof(value);
        else if (strcmp(name, "--in-flight") == 0) options.in_flight = atoi(value);
        else usage();
    }
    if (count % 2 == 0 || !options.brokers || !options.topic || options.size > MAXIMUM_SIZE) usage();
    return options;
}

int main(int count, char **arguments) {
    struct options options = read_options(count, arguments);
    static struct run run;
    rd_kafka_t *client = make_client(&options, &run);
    uint64_t now = monotonic();
    run.measure_from = now + (uint64_t)(options.warmup * 1e9);
    run.measure_until = run.measure_from + (uint64_t)(options.seconds * 1e9);
    publish(client, &options, &run);
    int is_flushed = rd_kafka_flush(client, 60000) == RD_KAFKA_RESP_ERR_NO_ERROR;
    printf(
        "{\"acknowledged\":%llu,\"failed\":%llu,\"per_second\":%.1f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
        (unsigned long long)run.acknowledged, (unsigned long long)run.failed, (double)run.measured / options.seconds,
        (double)histogram_quantile(&run.latency, 0.5) / 1e6, (double)histogram_quantile(&run.latency, 0.99) / 1e6,
        (double)run.latency.largest / 1e6);
    return run.failed > 0 || !is_flushed ? 1 : 0;
}
