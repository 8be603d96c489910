/* Sends sign-up forms at a steady rate, whatever the answers take (an open loop).
 *
 *   posts -p PORT -r RATE -n FORMS [-c CONNECTIONS] [-u ADDRESSES]
 *
 * Form i is due i / RATE seconds after the start and holds address i modulo ADDRESSES (else each
 * has its own). A connection is kept where the server keeps it, and opened again where it does not;
 * a form for which none is free waits, and its waiting counts: times are since a form was due.
 * A blocking thread per connection, so that it takes little of the processors that are measured.
 * Prints one JSON object: statuses, seconds, milliseconds within which shares were answered.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { LOST, STATUSES = 600 }; /* 0: no answer */

static long forms = 1000, addresses;
static double rate = 500, *times, begun;
static int port;
static atomic_long next_form;
static atomic_long answers[STATUSES];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void sleep_until(double when) {
    struct timespec t = {(time_t)when, (long)((when - (double)(time_t)when) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int dial(void) {
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct timeval patience = {.tv_sec = 30};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (!connect(fd, (struct sockaddr *)&to, sizeof to)) return fd;
    close(fd);
    return -1;
}

static int write_form(int fd, long number) {
    char body[128], text[512];
    int length = snprintf(body, sizeof body, "email=reader%ld%%40site%ld.example&choices=en",
                          number, number % 997);
    int all = snprintf(text, sizeof text,
                       "POST /en/embed/weekly/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
                       "Content-Type: application/x-www-form-urlencoded\r\nAccept: text/html\r\n"
                       "Content-Length: %d\r\n\r\n%s", port, length, body);
    return send(fd, text, (size_t)all, MSG_NOSIGNAL) == all;
}

/* The status of an answer, its body read to the end; LOST where there is none. */
static int read_answer(int fd, int *keeps) {
    char text[16384];
    size_t have = 0;
    for (;;) {
        ssize_t got = recv(fd, text + have, sizeof text - 1 - have, 0);
        if (got <= 0) return LOST;
        have += (size_t)got;
        text[have] = 0;
        char *end = strstr(text, "\r\n\r\n");
        if (!end) continue;
        char *length = strcasestr(text, "\r\nContent-Length:");
        size_t body = length && length < end ? (size_t)atol(length + 17) : 0;
        if (have < (size_t)(end + 4 - text) + body) continue;
        char *closes = strcasestr(text, "\r\nConnection: close");
        *keeps = !(closes && closes < end);
        int status = atoi(text + 9);
        return status > LOST && status < STATUSES ? status : LOST;
    }
}

static void *connection(void *unused) {
    int fd = -1;
    for (long i; (i = atomic_fetch_add(&next_form, 1)) < forms;) {
        double due = begun + (double)i / rate;
        sleep_until(due);
        int keeps = 0, status = LOST;
        if (fd < 0) fd = dial();
        if (fd >= 0 && write_form(fd, addresses ? i % addresses : i)) status = read_answer(fd, &keeps);
        times[i] = now() - due;
        atomic_fetch_add(&answers[status], 1);
        if (!keeps && fd >= 0) close(fd), fd = -1;
    }
    if (fd >= 0) close(fd);
    return unused;
}

static int ascending(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double within(double share) {
    long at = (long)(share * (double)forms) - 1;
    return times[at < 0 ? 0 : at] * 1000;
}

int main(int argc, char **argv) {
    int connections = 64, option;
    while ((option = getopt(argc, argv, "p:r:n:c:u:")) != -1) {
        if (option == 'p') port = atoi(optarg);
        else if (option == 'r') rate = atof(optarg);
        else if (option == 'n') forms = atol(optarg);
        else if (option == 'c') connections = atoi(optarg);
        else if (option == 'u') addresses = atol(optarg);
        else return 2;
    }
    times = calloc((size_t)forms, sizeof *times);
    pthread_t *threads = calloc((size_t)connections, sizeof *threads);
    if (!times || !threads || !port || forms < 1) return 2;
    begun = now() + 0.1;
    for (int i = 0; i < connections; i++) pthread_create(&threads[i], NULL, connection, NULL);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    double seconds = now() - begun;
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    qsort(times, (size_t)forms, sizeof *times, ascending);
    printf("{\"seconds\": %.3f, \"p50\": %.1f, \"p95\": %.1f, \"p99\": %.1f, \"p100\": %.1f, "
           "\"cpu\": %.3f, \"statuses\": {", seconds, within(.5), within(.95), within(.99),
           within(1), (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    const char *comma = "";
    for (int i = 0; i < STATUSES; i++)
        if (answers[i]) printf("%s\"%d\": %ld", comma, i, answers[i]), comma = ", ";
    printf("}}\n");
    return 0;
}
