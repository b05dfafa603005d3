// Faults of the system, for a program that is started with this library preloaded. What fails is said by a file of one
// page that the test and the program share (GATEHOUSE_FAULTS), so that it changes while the program runs:
//
//   bytes    0 -    7  number of the text; odd while it is being written
//   bytes   16 -  271  how often each of up to 32 rules has struck, by line
//   bytes  512 - 4095  the text, ended by NUL; one rule a line
//
//   sync|write|read|truncate FILE EIO|ENOSPC|kill [after=N] [times=N] [room=BYTES]
//   sync|write|read|truncate FILE hold        waits for as long as the rule stands
//   lookup NAME hold                          a name server that never answers
//   lookup NAME ADDRESS                       the name has this address
//   sign TEXT kill                            dies when a message with this text is authenticated
//   clock SECONDS                             the wall clock is off by so much
//
// FILE is a pattern of the last part of the path. The first `after` calls go well; after `times` strikes, all do; `room`
// is what files may still grow by before calls fail. The first rule of a call that fits it is the one that counts.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, STRIKES = 16, TEXT = 512, MOST = 32 };

struct rule {
    char call[16], what[128], effect[64];
    long after, times, room;
};

static char *page;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
/// The text that `rules` are of; no text has an odd number.
static atomic_ulong known = 1;
static struct rule rules[MOST];
static atomic_int count;
static atomic_long clockOffset;

static unsigned long number(void) { return atomic_load((_Atomic unsigned long *)page); }

static void strike(int rule) { atomic_fetch_add((_Atomic unsigned long *)(page + STRIKES) + rule, 1); }

static void readRule(char *line) {
    if (count == MOST) abort();
    struct rule *rule = &rules[count];
    *rule = (struct rule){.times = -1, .room = -1};
    int end = 0;
    if (sscanf(line, "%15s %127s %63s%n", rule->call, rule->what, rule->effect, &end) < 2) {
        fprintf(stderr, "not a fault: %s\n", line);
        abort();
    }
    if (strcmp(rule->call, "clock") == 0) atomic_store(&clockOffset, atol(rule->what));
    char *rest = end > 0 ? line + end : line + strlen(line), *word;
    while ((word = strsep(&rest, " "))) {
        if (sscanf(word, "after=%ld", &rule->after) == 1 || sscanf(word, "times=%ld", &rule->times) == 1 ||
            sscanf(word, "room=%ld", &rule->room) == 1 || *word == 0)
            continue;
        fprintf(stderr, "not a fault: %s\n", word);
        abort();
    }
    count++;
}

/// Reads the rules again if they have changed. With the lock held.
static void refresh(void) {
    char text[PAGE - TEXT];
    unsigned long first = number();
    if (first == known || first % 2 == 1) return;
    memcpy(text, page + TEXT, sizeof text);
    if (number() != first) return;
    known = first;
    count = 0;
    atomic_store(&clockOffset, 0);
    char *rest = text, *line;
    text[sizeof text - 1] = 0;
    while ((line = strsep(&rest, "\n")))
        if (*line) readRule(line);
}

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("GATEHOUSE_FAULTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (mapped == MAP_FAILED) abort();
    page = mapped;
    pthread_mutex_lock(&mutex);
    refresh();
    pthread_mutex_unlock(&mutex);
}

/// The rule of a call; -1 when there is none. With the lock held.
static int find(const char *call, const char *what) {
    refresh();
    for (int i = 0; i < count; i++)
        if (strcmp(rules[i].call, call) == 0 && fnmatch(rules[i].what, what, 0) == 0) return i;
    return -1;
}

static int isHeld(const char *call, const char *what) {
    pthread_mutex_lock(&mutex);
    int i = find(call, what);
    int held = i >= 0 && strcmp(rules[i].effect, "hold") == 0;
    pthread_mutex_unlock(&mutex);
    return held;
}

static void hold(const char *call, const char *what) {
    while (isHeld(call, what)) nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

static int code(const char *effect) {
    if (strcmp(effect, "EIO") == 0) return EIO;
    if (strcmp(effect, "ENOSPC") == 0) return ENOSPC;
    fprintf(stderr, "not an effect: %s\n", effect);
    abort();
}

/// Whether a call on a file fails, with errno set.
/// @param growth by how many bytes it makes the file longer.
static int fails(const char *call, int file, long growth) {
    if (!page || (number() == known && count == 0)) return 0;
    int before = errno;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return errno = before, 0;
    path[length] = 0;
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    int failure = 0, held = 0;
    pthread_mutex_lock(&mutex);
    int i = find(call, name);
    if (i >= 0) {
        struct rule *rule = &rules[i];
        if (rule->after > 0) {
            rule->after--;
        } else if (rule->room >= growth && rule->room > 0) {
            rule->room -= growth;
        } else if (rule->times != 0 && !(rule->room >= 0 && growth == 0)) {
            if (rule->times > 0) rule->times--;
            strike(i);
            if (strcmp(rule->effect, "kill") == 0) kill(getpid(), SIGKILL);
            held = strcmp(rule->effect, "hold") == 0;
            if (!held) failure = code(rule->effect);
        }
    }
    pthread_mutex_unlock(&mutex);
    if (held) hold(call, name);
    errno = failure ? failure : before;
    return failure != 0;
}

static long growth(int file, long end) {
    struct stat information;
    int before = errno;
    long size = fstat(file, &information) == 0 ? information.st_size : 0;
    errno = before;
    return end > size ? end - size : 0;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

int fsync(int file) {
    REAL(fsync);
    return fails("sync", file, 0) ? -1 : real(file);
}

int fdatasync(int file) {
    REAL(fdatasync);
    return fails("sync", file, 0) ? -1 : real(file);
}

ssize_t pwrite(int file, const void *bytes, size_t size, off_t offset) {
    REAL(pwrite);
    return fails("write", file, growth(file, offset + size)) ? -1 : real(file, bytes, size, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t size, off_t offset) {
    REAL(pwrite64);
    return fails("write", file, growth(file, offset + size)) ? -1 : real(file, bytes, size, offset);
}

ssize_t write(int file, const void *bytes, size_t size) {
    REAL(write);
    return fails("write", file, size) ? -1 : real(file, bytes, size);
}

ssize_t pread(int file, void *bytes, size_t size, off_t offset) {
    REAL(pread);
    return fails("read", file, 0) ? -1 : real(file, bytes, size, offset);
}

ssize_t pread64(int file, void *bytes, size_t size, off_t offset) {
    REAL(pread64);
    return fails("read", file, 0) ? -1 : real(file, bytes, size, offset);
}

ssize_t read(int file, void *bytes, size_t size) {
    REAL(read);
    return fails("read", file, 0) ? -1 : real(file, bytes, size);
}

int ftruncate(int file, off_t size) {
    REAL(ftruncate);
    return fails("truncate", file, 0) ? -1 : real(file, size);
}

int ftruncate64(int file, off_t size) {
    REAL(ftruncate64);
    return fails("truncate", file, growth(file, size)) ? -1 : real(file, size);
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **result) {
    REAL(getaddrinfo);
    char address[64] = "";
    if (page && name) {
        pthread_mutex_lock(&mutex);
        int i = find("lookup", name);
        if (i >= 0) strike(i);
        pthread_mutex_unlock(&mutex);
        hold("lookup", name);
        pthread_mutex_lock(&mutex);
        i = find("lookup", name);
        if (i >= 0) snprintf(address, sizeof address, "%s", rules[i].effect);
        pthread_mutex_unlock(&mutex);
    }
    return real(*address ? address : name, service, hints, result);
}

/// Of libcrypto: this library needs nothing of its headers.
int EVP_MAC_update(void *context, const unsigned char *data, size_t size) {
    static int (*real)(void *, const unsigned char *, size_t);
    if (!real) real = (int (*)(void *, const unsigned char *, size_t))dlsym(RTLD_NEXT, "EVP_MAC_update");
    if (page) {
        pthread_mutex_lock(&mutex);
        refresh();
        for (int i = 0; i < count; i++) {
            if (strcmp(rules[i].call, "sign") || !memmem(data, size, rules[i].what, strlen(rules[i].what))) continue;
            strike(i);
            kill(getpid(), SIGKILL);
        }
        pthread_mutex_unlock(&mutex);
    }
    return real(context, data, size);
}

static long offset(void) {
    if (!page) return 0;
    if (number() != known) {
        pthread_mutex_lock(&mutex);
        refresh();
        pthread_mutex_unlock(&mutex);
    }
    return atomic_load(&clockOffset);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    REAL(clock_gettime);
    int status = real(clock, now);
    if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += offset();
    return status;
}

int gettimeofday(struct timeval *now, void *zone) {
    REAL(gettimeofday);
    int status = real(now, zone);
    if (status == 0) now->tv_sec += offset();
    return status;
}

time_t time(time_t *result) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (result) *result = now.tv_sec;
    return now.tv_sec;
}
