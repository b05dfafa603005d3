/* Posts from one thread over many kept-alive connections, each with one request under way, and prints what came back as
   one line of JSON. Every answer's status is looked at; another one than expected is counted and ends the run badly.

   With a rate, requests are due at even times whether or not earlier ones are answered, and their latency counts from
   then. With a port to receive at, it is the receiver as well and measures from acknowledgement to delivery. */
#define _GNU_SOURCE
#include "histogram.h"
#include "receiver.h"
#include "request.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_CAPACITY = 8192, MAXIMUM_CONNECTIONS = 4096, MAXIMUM_EVENTS = 256 };

struct options {
    struct request_options request;
    int connections;
    double seconds, warmup;
    /* 0: as many as the time allows. */
    uint64_t requests;
    int expected;
    /* Requests a second; 0: as soon as a connection is free. */
    double rate;
    /* 0: nothing is received. */
    int receive_port;
};

struct connection {
    int descriptor;
    bool is_busy;
    /* When its request was sent or, with a rate, was due. */
    uint64_t sent_at;
    /* Of its event. */
    uint64_t number;
    size_t unsent, received;
    char answer[ANSWER_CAPACITY];
    char request[REQUEST_CAPACITY];
    size_t request_length;
};

struct load {
    const struct options *options;
    struct request request;
    struct connection *connections;
    struct receiver receiver;
    int poll;
    int under_way;
    /* Whose turn it is to send, with a rate. */
    int turn;
    uint64_t started, sent, answered, measured, unexpected;
    uint64_t measure_from, measure_until;
    int last_unexpected;
    struct histogram latency;
    double first_answer, last_answer;
};

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static uint64_t monotonic(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static double wall_clock(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void watch(struct load *load, struct connection *connection, bool writable, int operation) {
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.ptr = connection};
    if (epoll_ctl(load->poll, operation, connection->descriptor, &event) != 0) fail("epoll_ctl");
}

static void open_connection(struct load *load, struct connection *connection) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)load->options->request.port)};
    inet_pton(AF_INET, load->options->request.host, &address.sin_addr);
    connection->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connection->descriptor < 0) fail("socket");
    int on = 1;
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("connect");
    watch(load, connection, false, EPOLL_CTL_ADD);
}

/* Writes what is left of the request; true when all of it is out. */
static bool write_rest(struct connection *connection) {
    while (connection->unsent > 0) {
        const char *rest = connection->request + connection->request_length - connection->unsent;
        ssize_t written = send(connection->descriptor, rest, connection->unsent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (written < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
        if (written < 0) fail("send");
        connection->unsent -= (size_t)written;
    }
    return true;
}

static void send_next(struct load *load, struct connection *connection, uint64_t now) {
    request_next(&load->request, time(NULL));
    memcpy(connection->request, load->request.text, load->request.length);
    connection->request_length = connection->unsent = load->request.length;
    connection->received = 0;
    connection->sent_at = now;
    connection->number = load->request.number - 1;
    connection->is_busy = true;
    load->sent++;
    load->under_way++;
    if (!write_rest(connection)) watch(load, connection, true, EPOLL_CTL_MOD);
}

/* The length of the whole answer once its head is there; 0 before that. */
static size_t answer_length(struct connection *connection) {
    connection->answer[connection->received] = 0;
    char *end = strstr(connection->answer, "\r\n\r\n");
    if (!end) return 0;
    size_t body = 0;
    for (char *line = strstr(connection->answer, "\r\n"); line < end; line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, "content-length:", 15) == 0) body = strtoul(line + 17, NULL, 10);
    }
    return (size_t)(end - connection->answer) + 4 + body;
}

static void note_answer(struct load *load, struct connection *connection, uint64_t now) {
    int status = atoi(connection->answer + 9);
    load->under_way--;
    load->answered++;
    connection->is_busy = false;
    if (load->options->receive_port) receiver_acknowledged(&load->receiver, connection->number, now);
    if (status != load->options->expected) {
        load->unexpected++;
        load->last_unexpected = status;
        if (load->unexpected == 1) fprintf(stderr, "%s\n", connection->answer);
    }
    if (load->answered == 1) load->first_answer = wall_clock();
    if (now < load->measure_from || now >= load->measure_until) return;
    load->measured++;
    histogram_add(&load->latency, now - connection->sent_at);
}

static bool wants_more(struct load *load, uint64_t now) {
    if (load->options->requests > 0) return load->sent < load->options->requests;
    return now < load->measure_until;
}

static void receive(struct load *load, struct connection *connection) {
    ssize_t count = recv(
        connection->descriptor, connection->answer + connection->received,
        ANSWER_CAPACITY - 1 - connection->received, MSG_DONTWAIT);
    if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (count < 0) fail("recv");
    if (count == 0) {
        fprintf(stderr, "the server closed a connection after: %s\n", connection->answer);
        exit(1);
    }
    connection->received += (size_t)count;
    size_t length = answer_length(connection);
    if (length == 0 || connection->received < length) return;
    uint64_t now = monotonic();
    note_answer(load, connection, now);
    if (load->options->rate == 0 && wants_more(load, now)) send_next(load, connection, now);
}

static uint64_t next_due(const struct load *load) {
    return load->started + (uint64_t)((double)load->sent * 1e9 / load->options->rate);
}

/* Sends what is due, as far as connections are free: each in its turn, for a server closes one that says nothing. */
static void send_due(struct load *load) {
    uint64_t now = monotonic();
    for (int tried = 0; tried < load->options->connections && next_due(load) <= now; tried++) {
        struct connection *connection = &load->connections[load->turn];
        load->turn = (load->turn + 1) % load->options->connections;
        if (!connection->is_busy && wants_more(load, next_due(load))) send_next(load, connection, next_due(load));
    }
}

static bool is_done(const struct load *load) {
    if (load->under_way > 0) return false;
    if (load->options->rate > 0 && next_due(load) < load->measure_until) return false;
    return !load->options->receive_port || load->receiver.received >= load->sent;
}

/* Waits for something to happen, with a rate no longer than until the next request is due. */
static int wait_for_events(struct load *load, struct epoll_event *events) {
    uint64_t patience = 30000000000u, now = monotonic();
    uint64_t due = load->options->rate > 0 ? next_due(load) : 0;
    bool is_paced = load->options->rate > 0 && due < load->measure_until;
    if (is_paced) patience = due > now ? due - now : 0;
    struct timespec limit = {.tv_sec = (time_t)(patience / 1000000000u), .tv_nsec = (long)(patience % 1000000000u)};
    int count = epoll_pwait2(load->poll, events, MAXIMUM_EVENTS, &limit, NULL);
    if (count < 0 && errno != EINTR) fail("epoll_pwait2");
    if (count == 0 && !is_paced) {
        fprintf(
            stderr, "nothing happened for 30 s: %d requests under way, %llu events sent, %llu received\n", load->under_way,
            (unsigned long long)load->sent, (unsigned long long)load->receiver.received);
        exit(1);
    }
    return count;
}

static void run(struct load *load) {
    struct epoll_event events[MAXIMUM_EVENTS];
    load->started = monotonic();
    load->measure_from = load->started + (uint64_t)(load->options->warmup * 1e9);
    load->measure_until =
        load->options->requests > 0 ? UINT64_MAX : load->measure_from + (uint64_t)(load->options->seconds * 1e9);
    load->receiver.measure_from = load->measure_from;
    for (int index = 0; index < load->options->connections && load->options->rate == 0; index++) {
        uint64_t now = monotonic();
        if (wants_more(load, now)) send_next(load, &load->connections[index], now);
    }
    while (!is_done(load)) {
        int count = wait_for_events(load, events);
        uint64_t now = monotonic();
        for (int index = 0; index < count; index++) {
            if (load->options->receive_port && receiver_ready(&load->receiver, events[index].data.ptr, now)) continue;
            struct connection *connection = events[index].data.ptr;
            if (events[index].events & EPOLLOUT && write_rest(connection)) {
                watch(load, connection, false, EPOLL_CTL_MOD);
            }
            if (events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(load, connection);
        }
        if (load->options->rate > 0) send_due(load);
    }
    load->last_answer = wall_clock();
}

static void report(const struct load *load) {
    double seconds = load->options->requests > 0 ? load->last_answer - load->first_answer : load->options->seconds;
    printf(
        "{\"sent\":%llu,\"answered\":%llu,\"unexpected\":%llu,\"measured\":%llu,\"seconds\":%.6f,"
        "\"per_second\":%.1f,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f,"
        "\"first_answer\":%.6f,\"last_answer\":%.6f,\"body_bytes\":%zu,\"request_bytes\":%zu",
        (unsigned long long)load->sent, (unsigned long long)load->answered, (unsigned long long)load->unexpected,
        (unsigned long long)load->measured, seconds, (double)load->measured / seconds,
        (double)histogram_quantile(&load->latency, 0.5) / 1e6, (double)histogram_quantile(&load->latency, 0.9) / 1e6,
        (double)histogram_quantile(&load->latency, 0.99) / 1e6, (double)load->latency.largest / 1e6,
        load->first_answer, load->last_answer, load->request.size, load->request.length);
    const struct receiver *receiver = &load->receiver;
    if (load->options->receive_port) {
        printf(
            ",\"received\":%llu,\"repeated\":%llu,\"unknown\":%llu,\"delivery_p50_ms\":%.3f,"
            "\"delivery_p99_ms\":%.3f,\"delivery_max_ms\":%.3f",
            (unsigned long long)receiver->received, (unsigned long long)receiver->repeated,
            (unsigned long long)receiver->unknown, (double)histogram_quantile(&receiver->latency, 0.5) / 1e6,
            (double)histogram_quantile(&receiver->latency, 0.99) / 1e6, (double)receiver->latency.largest / 1e6);
    }
    puts("}");
}

static void usage(void) {
    fputs(
        "usage: load [--host A] --port P [--path /] [--secret S | --api-key K] [--size 575] [--connections 64] [--seconds 10]\n"
        "            [--warmup 1] [--requests N] [--expect 200] [--rate N] [--receive PORT]\n",
        stderr);
    exit(2);
}

static struct options read_options(int count, char **arguments) {
    struct options options = {
        .request = {.host = "127.0.0.1", .path = "/", .size = 575},
        .connections = 64, .seconds = 10, .warmup = 1, .expected = 200,
    };
    for (int index = 1; index + 1 < count; index += 2) {
        const char *name = arguments[index], *value = arguments[index + 1];
        if (strcmp(name, "--host") == 0) options.request.host = value;
        else if (strcmp(name, "--port") == 0) options.request.port = atoi(value);
        else if (strcmp(name, "--path") == 0) options.request.path = value;
        else if (strcmp(name, "--secret") == 0) options.request.secret = value;
        else if (strcmp(name, "--api-key") == 0) options.request.api_key = value;
        else if (strcmp(name, "--size") == 0) options.request.size = strtoul(value, NULL, 10);
        else if (strcmp(name, "--connections") == 0) options.connections = atoi(value);
        else if (strcmp(name, "--seconds") == 0) options.seconds = atof(value);
        else if (strcmp(name, "--warmup") == 0) options.warmup = atof(value);
        else if (strcmp(name, "--requests") == 0) options.requests = strtoull(value, NULL, 10);
        else if (strcmp(name, "--rate") == 0) options.rate = atof(value);
        else if (strcmp(name, "--receive") == 0) options.receive_port = atoi(value);
        else if (strcmp(name, "--expect") == 0) options.expected = atoi(value);
        else usage();
    }
    if (count % 2 == 0 || options.request.port <= 0) usage();
    if (options.connections < 1 || options.connections > MAXIMUM_CONNECTIONS) usage();
    if (options.requests > 0) options.warmup = 0;
    if (options.rate > 0 && options.requests > 0) usage();
    /* What is received has a place for each event, so there must be a bound to them. */
    if (options.receive_port && options.rate <= 0) usage();
    return options;
}

int main(int count, char **arguments) {
    struct options options = read_options(count, arguments);
    static struct load load;
    load.options = &options;
    if (request_prepare(&load.request, &options.request) != 0) {
        fprintf(stderr, "no body of %zu bytes, or a secret that is empty or longer than 64\n", options.request.size);
        return 2;
    }
    load.poll = epoll_create1(0);
    load.connections = calloc((size_t)options.connections, sizeof *load.connections);
    if (load.poll < 0 || !load.connections) fail("setup");
    size_t events = (size_t)(options.rate * (options.warmup + options.seconds)) + (size_t)options.connections + 1;
    if (options.receive_port &&
        receiver_start(&load.receiver, load.poll, options.receive_port, load.request.run, events) != 0) {
        fail("receive");
    }
    for (int index = 0; index < options.connections; index++) open_connection(&load, &load.connections[index]);
    run(&load);
    report(&load);
    return load.unexpected > 0 ? 1 : 0;
}
