#include "request.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { KEY_DIGITS = 10, VISITOR_DIGITS = 9, TIMESTAMP_DIGITS = 10, SIGNATURE_DIGITS = 64 };

static const char digit_of[] = "0123456789abcdef";

static void write_digits(char *place, uint64_t value, int count) {
    while (count-- > 0) {
        place[count] = (char)('0' + value % 10);
        value /= 10;
    }
}

uint64_t request_run_number(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return ((uint64_t)now.tv_sec * 10 + (uint64_t)now.tv_nsec / 100000000) % 10000000000u;
}

/* The pages' own examples, with a company as long as the wanted size asks for: a sign-in of Sign In App's, and Sine's
   question before a check-in. Both hold the same parts in the same order. */
static const char *const forms[] = {
    "{\"event\":\"visitor.signin\",\"event_at\":\"%s\",\"pushed_at\":\"%s\","
    "\"idempotency_key\":\"%010llu-0000000000\","
    "\"site\":{\"id\":4567,\"type\":\"standard\",\"name\":\"Acme Co\",\"timezone\":\"Europe/London\"},"
    "\"visitor\":{\"id\":1000000000,\"name\":\"John Smith\",\"photo_url\":null,\"badge_url\":null,"
    "\"additional\":{\"Company\":\"%.*s\"},"
    "\"personal_fields\":{\"role\":\"Director\",\"Car Reg\":\"ABC 123\"},"
    "\"is_returning\":false,\"is_pre_registered\":false,\"is_remote\":false},"
    "\"visiting\":{\"id\":8,\"name\":\"Adele Vance\",\"role\":\"Retail Manager\","
    "\"email\":\"adele.vance@example.com\",\"mobile\":\"\"}}",
    "{\"event\":\"signin_before\",\"date\":\"%s\",\"sent\":\"%s\","
    "\"data\":{\"firstName\":\"Jane\",\"lastName\":\"%010llu-0000000000\",\"email\":\"jane.doe@example.com\","
    "\"mobile\":\"1000000000\",\"inviteId\":null,\"company\":\"%.*s\","
    "\"site\":{\"id\":\"fb8c6a41-990f-49d3-a5a6-8dba8ae4b075\",\"name\":\"Acme Corp\"},"
    "\"visitorType\":{\"id\":\"d77d4e33-5532-4666-a1ae-e059afd96a48\",\"name\":\"Visitor\"}},"
    "\"externalId\":\"abc-123\"}",
};

static int write_body(char *text, size_t capacity, size_t size, uint64_t run, bool asks) {
    char time_text[32];
    time_t now = time(NULL);
    struct tm parts;
    gmtime_r(&now, &parts);
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    const char *form = forms[asks];
    char company[REQUEST_CAPACITY / 2];
    for (size_t index = 0; index < sizeof company; index++) company[index] = "Acme Limited "[index % 13];
    int bare = snprintf(text, capacity, form, time_text, time_text, (unsigned long long)run, 0, company);
    if (bare < 0 || (size_t)bare > size || size - (size_t)bare > sizeof company) return -1;
    int padding = (int)(size - (size_t)bare);
    int length = snprintf(text, capacity, form, time_text, time_text, (unsigned long long)run, padding, company);
    return length == (int)size ? 0 : -1;
}

/* Keys the two hashes; a secret longer than a block would have to be hashed first. */
static int write_key(struct request *request, const char *secret) {
    unsigned char block[SHA256_CBLOCK];
    size_t length = strlen(secret);
    if (length == 0 || length > sizeof block) return -1;
    for (int pass = 0; pass < 2; pass++) {
        memset(block, pass == 0 ? 0x36 : 0x5C, sizeof block);
        for (size_t index = 0; index < length; index++) block[index] ^= (unsigned char)secret[index];
        SHA256_CTX *hash = pass == 0 ? &request->inner : &request->outer;
        SHA256_Init(hash);
        SHA256_Update(hash, block, sizeof block);
    }
    return 0;
}

int request_prepare(struct request *request, const struct request_options *options) {
    memset(request, 0, sizeof *request);
    char body[REQUEST_CAPACITY];
    request->run = request_run_number();
    request->size = options->size;
    if (write_body(body, sizeof body, options->size, request->run, options->api_key != NULL) != 0) return -1;

    static const char signature_form[] =
        "X-SignInApp-Webhook-Signature: t=0000000000,s1="
        "0000000000000000000000000000000000000000000000000000000000000000\r\n";
    if (options->secret && write_key(request, options->secret) != 0) return -1;
    char proof[256] = "";
    if (options->secret) memcpy(proof, signature_form, sizeof signature_form);
    if (options->api_key) snprintf(proof, sizeof proof, "x-sine-auth: %s\r\n", options->api_key);
    int length = snprintf(
        request->text, sizeof request->text,
        "POST %s HTTP/1.1\r\nHost: %s:%d\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
        options->path, options->host, options->port, options->size, proof, body);
    if (length < 0 || (size_t)length >= sizeof request->text) return -1;
    request->length = (size_t)length;
    request->body = request->text + request->length - request->size;
    request->key = strstr(request->body, "-0000000000\"") + 1;
    request->visitor = strstr(request->body, "1000000000") + 1;
    if (options->secret) {
        request->timestamp = strstr(request->text, "t=0000000000") + 2;
        request->signature = strstr(request->timestamp, "s1=") + 3;
    }
    return 0;
}

static void write_hex(char *place, const unsigned char *bytes, size_t count) {
    for (size_t index = 0; index < count; index++) {
        place[2 * index] = digit_of[bytes[index] >> 4];
        place[2 * index + 1] = digit_of[bytes[index] & 15];
    }
}

void request_next(struct request *request, time_t now) {
    uint64_t number = request->number++;
    write_digits(request->key, number, KEY_DIGITS);
    write_digits(request->visitor, number, VISITOR_DIGITS);
    if (!request->signature) return;
    if (now != request->signed_at) {
        write_digits(request->timestamp, (uint64_t)now, TIMESTAMP_DIGITS);
        request->signed_at = now;
    }
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256_CTX hash = request->inner;
    SHA256_Update(&hash, request->timestamp, TIMESTAMP_DIGITS);
    SHA256_Update(&hash, ".", 1);
    SHA256_Update(&hash, request->body, request->size);
    SHA256_Final(digest, &hash);
    hash = request->outer;
    SHA256_Update(&hash, digest, sizeof digest);
    SHA256_Final(digest, &hash);
    write_hex(request->signature, digest, SIGNATURE_DIGITS / 2);
}
