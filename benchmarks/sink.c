/* An SMTP sink: takes mail on loopback as fast as it comes, and counts it.
 *
 *   sink [-p PORT] [-d MILLISECONDS] [-n] [-c CERTIFICATE -k KEY]
 *
 * Without -p the system chooses the port; the first line printed is "ready PORT".
 * -d delays every reply by a round trip: what one read brings is answered together, that much
 * later. -n offers no CHUNKING. -c and -k (PEM) speak TLS from the first byte (compiled with
 * -DTLS -lssl -lcrypto). On SIGTERM or SIGINT it prints one JSON object: messages accepted, their
 * bytes, recipients told apart (by a 64-bit hash), how many of them came again, connections, the
 * CPU seconds spent, and the seconds between the first and the last acceptance.
 *
 * One process, epoll, PIPELINING, CHUNKING. It keeps no message.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif
#ifdef TLS
#include <openssl/err.h>
#include <openssl/ssl.h>
static SSL_CTX *tls;
#endif

enum { LINE = 2048, READ = 1 << 18, CONNECTIONS = 4096, AT_ONCE = 256 };
enum mode { COMMAND, DATA, CHUNK };

struct connection {
    int fd, pending, match, last_chunk, failed;
    unsigned serial;               /* so that a reply that waits does not go to a successor */
    enum mode mode;
    size_t held, chunk, out_len, out_cap;
    uint64_t recipients[100];
    int recipient_count;
    char line[LINE], *out;         /* an unfinished command; replies of this read */
#ifdef TLS
    SSL *ssl;
#endif
};

struct later { uint64_t at; int fd; unsigned serial; size_t len; char *text; };

static struct connection *by_fd[CONNECTIONS];
static struct later *queue;        /* a ring: the delay is one for all, so it is in order */
static size_t queue_head, queue_len, queue_cap;
static uint64_t *seen, messages, bytes, again, connections, distinct, first_at, last_at;
static size_t seen_cap = 1 << 16;
static uint64_t delay;             /* nanoseconds */
static int chunking = 1;
static unsigned serials;
static char buffer[READ];

static uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) { perror(what); exit(1); }

static void *need(void *memory) {
    if (!memory) fail("memory");
    return memory;
}

/* --- Recipients, by hash: open addressing, 0 is free ------------------------------------------ */
static int remember(uint64_t hash) {
    if (distinct * 2 >= seen_cap) {
        uint64_t *old = seen;
        size_t old_cap = seen_cap;
        seen = need(calloc(seen_cap *= 4, sizeof *seen));
        for (size_t i = 0; i < old_cap; i++)
            if (old[i]) {
                size_t at = old[i] & (seen_cap - 1);
                while (seen[at]) at = (at + 1) & (seen_cap - 1);
                seen[at] = old[i];
            }
        free(old);
    }
    size_t at = hash & (seen_cap - 1);
    for (; seen[at]; at = (at + 1) & (seen_cap - 1))
        if (seen[at] == hash) return 0;
    seen[at] = hash;
    distinct++;
    return 1;
}

static uint64_t hashed(const char *text, size_t len) {
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < len; i++) hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
    hash ^= hash >> 29;
    hash *= 0xbf58476d1ce4e5b9u;
    hash ^= hash >> 32;
    return hash ? hash : 1;
}

/* --- Replies ---------------------------------------------------------------------------------- */
static void reply(struct connection *c, const char *text) {
    size_t len = strlen(text);
    if (c->out_len + len > c->out_cap) c->out = need(realloc(c->out, c->out_cap += len + 4096));
    memcpy(c->out + c->out_len, text, len);
    c->out_len += len;
}

static void accepted(struct connection *c) {
    for (int i = 0; i < c->recipient_count; i++)
        if (!remember(c->recipients[i])) again++;
    c->recipient_count = 0;
    messages++;
    last_at = now();
    if (!first_at) first_at = last_at;
    reply(c, "250 2.0.0 taken\r\n");
}

static void hang_up(struct connection *c) {
#ifdef TLS
    if (c->ssl) SSL_free(c->ssl);
#endif
    by_fd[c->fd] = NULL;
    close(c->fd);
    free(c->out);
    free(c);
}

static void put(struct connection *c, const char *text, size_t len) {
    ssize_t sent;
#ifdef TLS
    if (c->ssl) sent = SSL_write(c->ssl, text, (int)len);
    else
#endif
    sent = send(c->fd, text, len, MSG_NOSIGNAL);
    if (sent != (ssize_t)len) c->failed = 1; /* a client that reads no replies */
}

static void flush(struct connection *c) {
    if (!c->out_len) return;
    if (!delay) {
        put(c, c->out, c->out_len);
        c->out_len = 0;
        return;
    }
    if (queue_len == queue_cap) {
        size_t cap = queue_cap ? queue_cap * 2 : 1024;
        struct later *grown = need(malloc(cap * sizeof *grown));
        for (size_t i = 0; i < queue_len; i++) grown[i] = queue[(queue_head + i) % queue_cap];
        free(queue);
        queue = grown, queue_head = 0, queue_cap = cap;
    }
    struct later *entry = &queue[(queue_head + queue_len++) % queue_cap];
    *entry = (struct later){now() + delay, c->fd, c->serial, c->out_len, c->out};
    c->out = NULL, c->out_len = c->out_cap = 0;
}

static void flush_due(int timer) {
    uint64_t at = now();
    while (queue_len && queue[queue_head].at <= at) {
        struct later entry = queue[queue_head];
        queue_head = (queue_head + 1) % queue_cap, queue_len--;
        struct connection *c = by_fd[entry.fd];
        if (c && c->serial == entry.serial) put(c, entry.text, entry.len);
        if (c && c->failed) hang_up(c);
        free(entry.text);
    }
    uint64_t next = queue_len ? queue[queue_head].at : 0;
    struct itimerspec when = {.it_value = {(time_t)(next / 1000000000u), (long)(next % 1000000000u)}};
    timerfd_settime(timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* --- What a client says ----------------------------------------------------------------------- */
/* The bytes of `p` that belong to the message, its final dot included; *ended says whether that
 * was it. `match` counts how much of CR LF . CR LF was seen. */
static size_t take_data(struct connection *c, const char *p, size_t n, int *ended) {
    static const char END[] = "\r\n.\r\n";
    size_t i = 0;
    while (i < n) {
        if (c->match == 0) {
#ifdef __SSE2__
            const __m128i lf = _mm_set1_epi8('\n'), dot = _mm_set1_epi8('.');
            while (i + 17 < n) {
                __m128i a = _mm_loadu_si128((const __m128i *)(p + i + 1));
                __m128i b = _mm_loadu_si128((const __m128i *)(p + i + 2));
                int found = _mm_movemask_epi8(
                    _mm_and_si128(_mm_cmpeq_epi8(a, lf), _mm_cmpeq_epi8(b, dot)));
                if (found) { i += (size_t)__builtin_ctz((unsigned)found); break; }
                i += 16;
            }
#endif
        }
        if (p[i] == END[c->match]) c->match++;
        else c->match = p[i] == '\r';
        i++;
        if (c->match == 5) { *ended = 1; return i; }
    }
    return n;
}

static void recipient(struct connection *c, const char *line, size_t len) {
    const char *from = memchr(line, '<', len), *to = from ? memchr(from, '>', len - (from - line)) : 0;
    if (!to || c->recipient_count == 100) { reply(c, "550 5.1.3 no\r\n"); return; }
    c->recipients[c->recipient_count++] = hashed(from + 1, (size_t)(to - from - 1));
    reply(c, "250 2.1.5 ok\r\n");
}

static void command(struct connection *c, char *line, size_t len) {
    line[len] = 0;
    if (!strncasecmp(line, "MAIL FROM:", 10)) {
        c->recipient_count = 0;
        reply(c, "250 2.1.0 ok\r\n");
    } else if (!strncasecmp(line, "RCPT TO:", 8)) {
        recipient(c, line, len);
    } else if (!strcasecmp(line, "DATA")) {
        if (!c->recipient_count) { reply(c, "503 5.5.1 no recipient\r\n"); return; }
        c->mode = DATA, c->match = 2; /* as after CR LF */
        reply(c, "354 go\r\n");
    } else if (chunking && !strncasecmp(line, "BDAT ", 5)) {
        c->chunk = strtoul(line + 5, NULL, 10);
        c->last_chunk = strcasestr(line, " LAST") != NULL;
        c->mode = CHUNK;
    } else if (!strncasecmp(line, "EHLO", 4)) {
        reply(c, "250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n");
        reply(c, chunking ? "250-CHUNKING\r\n250 SIZE 50000000\r\n" : "250 SIZE 50000000\r\n");
    } else if (!strncasecmp(line, "QUIT", 4)) {
        reply(c, "221 2.0.0 bye\r\n");
    } else if (!strncasecmp(line, "HELO", 4) || !strcasecmp(line, "RSET") || !strcasecmp(line, "NOOP")) {
        c->recipient_count = 0;
        reply(c, "250 2.0.0 ok\r\n");
    } else {
        reply(c, "500 5.5.2 what\r\n");
    }
}

static void chunk_taken(struct connection *c) {
    c->mode = COMMAND;
    if (!c->recipient_count) reply(c, "503 5.5.1 no recipient\r\n");
    else if (c->last_chunk) accepted(c);
    else reply(c, "250 2.0.0 more\r\n");
}

static void heard(struct connection *c, char *p, size_t n) {
    while (n && !c->failed) {
        size_t used;
        if (c->mode == DATA) {
            int ended = 0;
            used = take_data(c, p, n, &ended);
            bytes += used;
            if (ended) c->mode = COMMAND, accepted(c);
        } else if (c->mode == CHUNK) {
            used = n < c->chunk ? n : c->chunk;
            bytes += used, c->chunk -= used;
        } else {
            char *end = memchr(p, '\n', n);
            used = end ? (size_t)(end - p) + 1 : n;
            if (c->held + used >= LINE) { c->failed = 1; return; }
            memcpy(c->line + c->held, p, used);
            c->held += used;
            if (end) {
                size_t len = c->held - 1;
                if (len && c->line[len - 1] == '\r') len--;
                c->held = 0;
                command(c, c->line, len);
            }
        }
        p += used, n -= used;
        if (c->mode == CHUNK && !c->chunk) chunk_taken(c);
    }
}

static void readable(struct connection *c) {
    for (;;) {
        ssize_t got;
#ifdef TLS
        if (c->ssl) {
            ERR_clear_error();
            got = SSL_read(c->ssl, buffer, READ);
            int error = got > 0 ? 0 : SSL_get_error(c->ssl, (int)got);
            if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) break;
        } else
#endif
        got = read(c->fd, buffer, READ);
        if (got < 0 && errno == EAGAIN) break;
        if (got <= 0) { hang_up(c); return; }
        heard(c, buffer, (size_t)got);
        if (c->failed) { hang_up(c); return; }
#ifdef TLS
        if (c->ssl) continue; /* it may hold more that epoll does not know of */
#endif
        if (got < READ) break;
    }
    flush(c);
    if (c->failed) hang_up(c);
}

static void welcome(int listener, int poll) {
    int fd, on = 1;
    while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= CONNECTIONS) { close(fd); continue; }
        struct connection *c = need(calloc(1, sizeof *c));
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        c->fd = fd, c->serial = ++serials, by_fd[fd] = c, connections++;
#ifdef TLS
        if (tls) {
            c->ssl = SSL_new(tls);
            SSL_set_fd(c->ssl, fd);
            SSL_set_accept_state(c->ssl);
            if (SSL_do_handshake(c->ssl) < 0) ERR_clear_error();
        }
        if (tls) { /* the greeting goes out with the handshake's end: see main */
            c->pending = 1;
        } else
#endif
        { reply(c, "220 sink ESMTP\r\n"); flush(c); }
        struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
    }
}

#ifdef TLS
static int shaken(struct connection *c) {
    int done = SSL_do_handshake(c->ssl);
    if (done == 1) { c->pending = 0; reply(c, "220 sink ESMTP\r\n"); flush(c); return 1; }
    int error = SSL_get_error(c->ssl, done);
    if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE) hang_up(c);
    return 0;
}
#endif

static int listening(int port) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), on = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    socklen_t size = sizeof at;
    if (bind(fd, (struct sockaddr *)&at, size) || listen(fd, 1024)) fail("listen");
    getsockname(fd, (struct sockaddr *)&at, &size);
    printf("ready %d\n", ntohs(at.sin_port)), fflush(stdout);
    return fd;
}

static void report(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = used.ru_utime.tv_sec + used.ru_stime.tv_sec +
                 (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    printf("{\"messages\": %lu, \"bytes\": %lu, \"recipients\": %lu, \"again\": %lu, "
           "\"connections\": %lu, \"cpu\": %.3f, \"seconds\": %.6f}\n",
           messages, bytes, distinct, again, connections, cpu, (last_at - first_at) / 1e9);
}

int main(int argc, char **argv) {
    int port = 0, option;
    const char *certificate = NULL, *key = NULL;
    while ((option = getopt(argc, argv, "p:d:nc:k:")) != -1) {
        if (option == 'p') port = atoi(optarg);
        else if (option == 'd') delay = (uint64_t)(atof(optarg) * 1e6);
        else if (option == 'n') chunking = 0;
        else if (option == 'c') certificate = optarg;
        else if (option == 'k') key = optarg;
        else port = -1;
    }
    if (port < 0) { fputs("sink [-p PORT] [-d MS] [-n] [-c CERT -k KEY]\n", stderr); return 2; }
#ifdef TLS
    if (certificate) {
        tls = SSL_CTX_new(TLS_server_method());
        if (SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 || !key ||
            SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1)
            return fputs("sink: the certificate or its key cannot be used\n", stderr), 2;
    }
#else
    if (certificate || key) return fputs("sink: compiled without TLS\n", stderr), 2;
#endif
    sigset_t signals;
    sigemptyset(&signals), sigaddset(&signals, SIGTERM), sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    seen = need(calloc(seen_cap, sizeof *seen));
    int listener = listening(port), poll = epoll_create1(0);
    int asked = signalfd(-1, &signals, SFD_NONBLOCK);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    for (int *fd = (int[]){listener, asked, timer, -1}; *fd >= 0; fd++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = *fd};
        epoll_ctl(poll, EPOLL_CTL_ADD, *fd, &event);
    }
    for (;;) {
        struct epoll_event events[AT_ONCE];
        int count = epoll_wait(poll, events, AT_ONCE, -1);
        size_t waited = queue_len;
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd == asked) { report(); return 0; }
            if (fd == listener) welcome(listener, poll);
            else if (fd != timer && by_fd[fd]) {
#ifdef TLS
                if (by_fd[fd]->pending && !shaken(by_fd[fd])) continue;
#endif
                readable(by_fd[fd]);
            }
        }
        if (delay && (!waited || queue[queue_head].at <= now())) flush_due(timer);
    }
}
