#define _GNU_SOURCE
#include "receiver.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

struct incoming {
    int descriptor;
    size_t received;
    char text[RECEIVER_CAPACITY];
};

static int watch(struct receiver *receiver, int descriptor, void *pointer) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = pointer};
    return epoll_ctl(receiver->poll, EPOLL_CTL_ADD, descriptor, &event);
}

int receiver_start(struct receiver *receiver, int poll, int port, uint64_t run, size_t events) {
    memset(receiver, 0, sizeof *receiver);
    receiver->poll = poll;
    receiver->capacity = events;
    receiver->acknowledged = calloc(events, sizeof *receiver->acknowledged);
    receiver->arrived = calloc(events, sizeof *receiver->arrived);
    if (!receiver->acknowledged || !receiver->arrived) return -1;
    snprintf(receiver->run, sizeof receiver->run, "%010llu-", (unsigned long long)run);
    receiver->listener = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;
    setsockopt(receiver->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (bind(receiver->listener, (struct sockaddr *)&address, sizeof address) != 0) return -1;
    if (listen(receiver->listener, RECEIVER_CONNECTIONS) != 0) return -1;
    return watch(receiver, receiver->listener, receiver);
}

static void accept_one(struct receiver *receiver) {
    int descriptor = accept(receiver->listener, NULL, NULL);
    if (descriptor < 0) return;
    for (int index = 0; index < RECEIVER_CONNECTIONS; index++) {
        if (receiver->connections[index]) continue;
        struct incoming *incoming = calloc(1, sizeof *incoming);
        if (!incoming) break;
        int on = 1;
        setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        incoming->descriptor = descriptor;
        receiver->connections[index] = incoming;
        watch(receiver, descriptor, incoming);
        return;
    }
    close(descriptor);
}

static void measure(struct receiver *receiver, uint64_t number) {
    uint64_t acknowledged = receiver->acknowledged[number], arrived = receiver->arrived[number];
    if (!acknowledged || !arrived || acknowledged < receiver->measure_from) return;
    /* What arrives before its sender has read the answer took no time. */
    histogram_add(&receiver->latency, arrived > acknowledged ? arrived - acknowledged : 0);
}

void receiver_acknowledged(struct receiver *receiver, uint64_t number, uint64_t now) {
    if (number >= receiver->capacity) return;
    receiver->acknowledged[number] = now;
    measure(receiver, number);
}

static void note_event(struct receiver *receiver, const char *body, size_t size, uint64_t now) {
    size_t length = strlen(receiver->run);
    const char *key = memmem(body, size, receiver->run, length);
    uint64_t number = key ? strtoull(key + length, NULL, 10) : UINT64_MAX;
    if (number >= receiver->capacity) {
        receiver->unknown++;
    } else if (receiver->arrived[number]) {
        receiver->repeated++;
    } else {
        receiver->received++;
        receiver->arrived[number] = now;
        measure(receiver, number);
    }
}

/* The size of the whole request at the beginning of the text; 0 while its head is not complete. */
static size_t request_size(struct incoming *incoming, char **body) {
    incoming->text[incoming->received] = 0;
    char *end = strstr(incoming->text, "\r\n\r\n");
    if (!end) return 0;
    char *length = strcasestr(incoming->text, "\r\ncontent-length:");
    *body = end + 4;
    return (size_t)(*body - incoming->text) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void receive(struct receiver *receiver, struct incoming **place, uint64_t now) {
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    struct incoming *incoming = *place;
    ssize_t count = recv(
        incoming->descriptor, incoming->text + incoming->received, RECEIVER_CAPACITY - 1 - incoming->received,
        MSG_DONTWAIT);
    if (count <= 0) {
        close(incoming->descriptor);
        free(incoming);
        *place = NULL;
        return;
    }
    incoming->received += (size_t)count;
    char *body = NULL;
    size_t size = request_size(incoming, &body);
    if (size == 0 || incoming->received < size) return;
    note_event(receiver, body, (size_t)(incoming->text + size - body), now);
    incoming->received = 0;
    send(incoming->descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL);
}

int receiver_ready(struct receiver *receiver, void *pointer, uint64_t now) {
    if (pointer == receiver) {
        accept_one(receiver);
        return 1;
    }
    for (int index = 0; index < RECEIVER_CONNECTIONS; index++) {
        if (receiver->connections[index] != pointer) continue;
        receive(receiver, &receiver->connections[index], now);
        return 1;
    }
    return 0;
}
