/* The upper bound: hands over one message many times, pipelined, and does nothing else.
 *
 *   blast -p PORT -n MESSAGES -f FILE [-c CONNECTIONS] [-b WINDOW]
 *
 * FILE is one message on the wire: CR LF, dots stuffed, no final dot. With DATA, the final dot of
 * one message and the envelope of the next are one write. -b sends by BDAT instead, with up to
 * WINDOW messages of a connection under way. One process, epoll. Prints one JSON object.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 1024, PART = 512 };

struct connection {
    int fd, greeted, waits, under_way, replies; /* replies: of the message at the front */
    struct iovec parts[3 * PART];
    int first, count;
    char text[PART][256];
    int texts;
};

static struct connection *all[CONNECTIONS];
static long asked = 1000, begun, done;
static int window, poll_fd;
static char *body;
static size_t body_len;

static void fail(const char *what) { perror(what); exit(1); }

static void nonsense(const char *line, int len) {
    fprintf(stderr, "blast: unexpected reply %.*s\n", len, line);
    exit(1);
}

static void add(struct connection *c, const void *p, size_t n) {
    if (c->count == 3 * PART) nonsense("(too much under way)", 20);
    c->parts[c->count++] = (struct iovec){(void *)p, n};
}

static void say(struct connection *c, const char *format, long number) {
    char *text = c->text[c->texts++ % PART];
    add(c, text, (size_t)snprintf(text, 256, format, number, body_len));
}

static void write_out(struct connection *c) {
    while (c->first < c->count) {
        int n = c->count - c->first;
        ssize_t sent = writev(c->fd, c->parts + c->first, n > 64 ? 64 : n);
        if (sent < 0 && errno == EAGAIN) break;
        if (sent < 0) fail("write");
        while (sent > 0) {
            struct iovec *part = &c->parts[c->first];
            size_t used = (size_t)sent < part->iov_len ? (size_t)sent : part->iov_len;
            part->iov_base = (char *)part->iov_base + used, part->iov_len -= used;
            sent -= (ssize_t)used;
            if (!part->iov_len) c->first++;
        }
    }
    int waits = c->first < c->count;
    if (!waits) c->first = c->count = c->texts = 0;
    if (waits != c->waits) {
        struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = c};
        epoll_ctl(poll_fd, EPOLL_CTL_MOD, c->fd, &event);
        c->waits = waits;
    }
}

#define ENVELOPE "MAIL FROM:<bench@sender.example>\r\nRCPT TO:<reader%08ld@readers.example>\r\n"

static void next(struct connection *c) {
    while (begun < asked && c->under_way < (window ? window : 1)) {
        c->under_way++;
        if (window) {
            say(c, ENVELOPE "BDAT %zu LAST\r\n", begun++);
            add(c, body, body_len);
        } else {
            say(c, ENVELOPE "DATA\r\n", begun++);
        }
    }
}

/* One reply line (its last). With DATA four belong to a message, with BDAT three. */
static void answer(struct connection *c, const char *line, int len) {
    if (c->greeted < 2) {
        if (line[0] != '2') nonsense(line, len);
        if (!c->greeted++) say(c, "EHLO bench.example\r\n", 0);
        else next(c);
        return;
    }
    int step = c->replies++, last = window ? 2 : 3;
    if (line[0] != (!window && step == 2 ? '3' : '2')) nonsense(line, len);
    if (!window && step == 2) {
        add(c, body, body_len);
        add(c, ".\r\n", 3);
        if (begun < asked) { /* the next envelope goes out with this dot */
            c->under_way = 0;
            next(c);
        }
    }
    if (step == last) {
        done++, c->replies = 0;
        if (window) c->under_way--, next(c);
    }
}

static void hear(struct connection *c) {
    char text[65536];
    ssize_t got = read(c->fd, text, sizeof text);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) nonsense("(closed)", 8);
    /* The sink's replies are short and never split in the middle of a line by much: finish it. */
    while (text[got - 1] != '\n' && got < (ssize_t)sizeof text) {
        ssize_t more = read(c->fd, text + got, sizeof text - (size_t)got);
        if (more > 0) got += more;
        else if (more == 0 || errno != EAGAIN) nonsense("(closed)", 8);
    }
    for (char *p = text, *end; p < text + got; p = end + 1) {
        end = memchr(p, '\n', (size_t)(text + got - p));
        if (end - p > 3 && p[3] == ' ') answer(c, p, (int)(end - p));
    }
}

static void load(const char *name) {
    FILE *file = fopen(name, "rb");
    if (!file) fail(name);
    fseek(file, 0, SEEK_END);
    body_len = (size_t)ftell(file);
    rewind(file);
    body = malloc(body_len);
    if (!body || fread(body, 1, body_len, file) != body_len) fail(name);
    fclose(file);
}

static void connect_one(int index, int port) {
    struct connection *c = all[index] = calloc(1, sizeof *c);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int on = 1;
    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to)) fail("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

int main(int argc, char **argv) {
    int port = 0, connections = 4, option;
    while ((option = getopt(argc, argv, "p:n:f:c:b:")) != -1) {
        if (option == 'p') port = atoi(optarg);
        else if (option == 'n') asked = atol(optarg);
        else if (option == 'f') load(optarg);
        else if (option == 'c') connections = atoi(optarg);
        else if (option == 'b') window = atoi(optarg);
        else port = 0;
    }
    if (port <= 0 || !body || connections < 1 || connections > CONNECTIONS || window > PART) {
        fputs("blast -p PORT -n MESSAGES -f FILE [-c CONNECTIONS] [-b WINDOW]\n", stderr);
        return 2;
    }
    poll_fd = epoll_create1(0);
    for (int i = 0; i < connections; i++) connect_one(i, port);
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    while (done < asked) {
        struct epoll_event events[256];
        int count = epoll_wait(poll_fd, events, 256, -1);
        for (int i = 0; i < count; i++) {
            struct connection *c = events[i].data.ptr;
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) hear(c);
            write_out(c);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    printf("{\"messages\": %ld, \"seconds\": %.6f, \"cpu\": %.3f}\n", done,
           (b.tv_sec - a.tv_sec) + (b.tv_nsec - a.tv_nsec) / 1e9,
           used.ru_utime.tv_sec + used.ru_stime.tv_sec +
               (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    return 0;
}
