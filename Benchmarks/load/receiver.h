/* Takes what is delivered, answers 200, and measures how long after its acknowledgement each event arrived. */
#ifndef GATEHOUSE_BENCHMARK_RECEIVER_H
#define GATEHOUSE_BENCHMARK_RECEIVER_H

#include "histogram.h"

#include <stddef.h>
#include <stdint.h>

enum { RECEIVER_CONNECTIONS = 256, RECEIVER_CAPACITY = 65536 };

struct receiver {
    int listener;
    int poll;
    /* How every event's key begins, to be found in what arrives; ten digits follow. */
    char run[16];
    /* By the event's number: when it was acknowledged and when it arrived, in nanoseconds; 0: not yet. */
    uint64_t *acknowledged, *arrived;
    size_t capacity;
    uint64_t measure_from;
    uint64_t received, repeated, unknown;
    struct histogram latency;
    struct incoming *connections[RECEIVER_CONNECTIONS];
};

/* Listens on the loopback port, and has `poll` tell of it with pointers that `receiver_ready` takes. */
int receiver_start(struct receiver *receiver, int poll, int port, uint64_t run, size_t events);

/* Whether the pointer of an event of `poll` is one of this receiver's; it then has been dealt with. */
int receiver_ready(struct receiver *receiver, void *pointer, uint64_t now);

/* The sender was told that the event of this number is kept. */
void receiver_acknowledged(struct receiver *receiver, uint64_t number, uint64_t now);

#endif
