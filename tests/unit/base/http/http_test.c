/* http_test.c - starting and stopping the front, TLS, and memory running out.
 *
 * LINK: -Wl,--wrap=malloc,--wrap=calloc
 * Planted bugs it caught: idle connections kept until the end of the grace
 * time; TLS 1.1 let in. */
#include <pthread.h>

#include "tests/unit/base/http/raw.h"

static struct raw_front raw;
static struct raw_reply reply;

/* Our own allocations; libmicrohttpd's and GnuTLS's are not wrapped. */
static atomic_int until_failure = -1; /* how many succeed yet; below 0: all */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool fails_now(void)
{
    int left = atomic_load(&until_failure);
    while (left >= 0 && !atomic_compare_exchange_weak(&until_failure, &left, left - 1))
        continue;
    return left == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

#define GET_X "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"

static uint64_t now_ms(void)
{
    return clock_mono_ms(clock_system());
}

/* HTTP-STOP-1: idle connections go at once, none is taken any more. */
static void stop_when_idle(void **state)
{
    (void)state;
    raw_start(&raw, NULL);
    int used = raw_connect(&raw), silent = raw_connect(&raw), half = raw_connect(&raw);
    assert_true(raw_send(used, GET_X));
    assert_int_equal(raw_read_reply(used, false, &reply), 200);
    assert_true(raw_send(half, "GET /x HT"));
    poll(NULL, 0, 50);
    uint64_t begin_ms = now_ms();
    http_front_stop(raw.front, 5000);
    assert_true(now_ms() - begin_ms < 1500);
    assert_true(raw_is_closed(used) && raw_is_closed(silent) && raw_is_closed(half));
    int late = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(raw_port(&raw))};
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof(to)), -1);
    close(late), close(used), close(silent), close(half);
    http_front_free(TAKE(raw.front));
}

static void *release_later(void *ctx)
{
    (void)ctx;
    poll(NULL, 0, 300);
    atomic_store(&raw.hold, false);
    return NULL;
}

/* HTTP-STOP-2: a request in flight is answered, and told that the connection closes. */
static void stop_in_flight(void **state)
{
    (void)state;
    pthread_t helper;
    raw_start(&raw, NULL);
    atomic_store(&raw.hold, true);
    int fd = raw_connect(&raw);
    assert_true(raw_send(fd, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    while (atomic_load(&raw.ends) == 0)
        poll(NULL, 0, 1);
    assert_int_equal(pthread_create(&helper, NULL, release_later, NULL), 0);
    uint64_t begin_ms = now_ms();
    http_front_stop(raw.front, 5000);
    assert_in_range(now_ms() - begin_ms, 200, 2000);
    pthread_join(helper, NULL);
    assert_int_equal(raw_read_reply(fd, false, &reply), 200);
    assert_string_equal(raw_field(&reply, "Connection"), "close");
    assert_true(raw_is_closed(fd));
    close(fd);
    assert_int_equal(atomic_load(&raw.dones), 1);
    http_front_free(TAKE(raw.front));
}

/* HTTP-STOP-3: what does not end in the grace time is cut. */
static void stop_cuts(void **state)
{
    (void)state;
    raw_start(&raw, NULL);
    atomic_store(&raw.hold, true); /* until the service sees that its client is gone */
    int held = raw_connect(&raw), upload = raw_connect(&raw), reader = raw_connect(&raw);
    assert_true(raw_send(held, "GET /hold HTTP/1.1\r\nHost: a\r\n\r\n"));
    assert_true(raw_send(upload, "PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"));
    assert_true(raw_send(reader, "GET /stream?n=100000000 HTTP/1.1\r\nHost: a\r\n\r\n"));
    while (atomic_load(&raw.heads) < 3)
        poll(NULL, 0, 1);
    uint64_t begin_ms = now_ms();
    http_front_stop(raw.front, 500);
    assert_in_range(now_ms() - begin_ms, 450, 3000);
    assert_int_equal(atomic_load(&raw.dones), 3);
    close(held), close(upload), close(reader);
    http_front_free(TAKE(raw.front));
}

static void stop_under_load(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        raw_start(&raw, NULL);
        int fds[20];
        for (int i = 0; i < 20; i++) {
            fds[i] = raw_connect(&raw);
            for (int k = 0; k <= round; k++)
                raw_send(fds[i], GET_X);
        }
        raw_stop(&raw);
        for (int i = 0; i < 20; i++)
            close(fds[i]);
    }
    http_front_free(NULL);
}

/* Start, one request, stop, while the allocation number `at` fails.
 *
 * returns  false when so many were not made */
static bool run_with_failure(int at)
{
    static const struct http_options OPTIONS = {.connections_max = 9,
                                                .connections_per_address_max = 9};
    struct http_service service = {&raw, raw_head, raw_body, raw_end, raw_done};
    struct err err;
    memset(&raw, 0, sizeof(raw));
    atomic_store(&until_failure, at);
    if (http_front_start("127.0.0.1:0", &OPTIONS, &service, &raw.front, &err) != ERR_OK) {
        assert_int_equal(err.code, ERR_NO_MEMORY);
        assert_null(raw.front);
        return true;
    }
    int fd = raw_connect(&raw);
    raw_send(fd, "PUT /fields HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    raw_read_reply(fd, false, &reply);
    bool failed = atomic_load(&until_failure) < 0;
    assert_true(reply.status == (failed ? 503 : 200));
    atomic_store(&until_failure, -1);
    close(fd);
    raw_assert_alive(&raw);
    raw_stop(&raw);
    return failed;
}

/* HTTP-LIFE-3: our own allocations that fail are ERR_NO_MEMORY or 503, one by one. */
static void out_of_memory(void **state)
{
    (void)state;
    int at = 0;
    while (run_with_failure(at))
        at++;
    assert_in_range(at, 4, 100);
}

/* Certificates are made by openssl(1) at run time, in a folder that goes again. */

static char folder[] = "/tmp/http_test.XXXXXX";
static char cert[8192], key[8192];

static bool read_text(const char *name, char *ret_text, size_t room)
{
    char path[64];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    if (!file)
        return false;
    size_t len = fread(ret_text, 1, room - 1, file);
    ret_text[len] = 0;
    fclose(file);
    return len > 0;
}

static bool make_certificate(void)
{
    char command[512];
    if (!mkdtemp(folder))
        return false;
    snprintf(command, sizeof(command),
             "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
             "-days 2 -subj /CN=box -keyout key.pem -out cert.pem >/dev/null 2>&1",
             folder);
    return system(command) == 0 && read_text("cert.pem", cert, sizeof(cert)) &&
           read_text("key.pem", key, sizeof(key));
}

/* What openssl s_client gets for `request` with these flags, "" where it is refused. */
static const char *ask_tls(const char *flags, const char *request)
{
    static char answer[8192];
    char command[512];
    snprintf(command, sizeof(command),
             "printf '%s' | timeout 9 openssl s_client -connect %s -quiet %s 2>/dev/null", request,
             http_front_address(raw.front), flags);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(answer, 1, sizeof(answer) - 1, pipe);
    answer[len] = 0;
    pclose(pipe);
    return answer;
}

#define GET_TLS "GET /x HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"
#define OLD     "-cipher DEFAULT@SECLEVEL=0 "

/* ACC-17 HTTP-TLS-1 */
static void tls(void **state)
{
    (void)state;
    if (!make_certificate())
        skip(); /* no openssl(1) here */
    struct http_options options = {.connections_max = 9,
                                   .connections_per_address_max = 9,
                                   .head_ms = 3000,
                                   .discard_ms = 1000,
                                   .tls_cert = bytes_of_str(cert),
                                   .tls_key = bytes_of_str(key)};
    raw_start(&raw, &options);
    assert_non_null(strstr(ask_tls("-tls1_3", GET_TLS), " 1")); /* http_request_is_tls */
    assert_non_null(strstr(ask_tls("-tls1_3", GET_TLS), "HTTP/1.1 200 OK"));
    assert_non_null(strstr(ask_tls("-tls1_2", GET_TLS), "HTTP/1.1 200 OK"));
    assert_string_equal(ask_tls(OLD "-tls1_1", GET_TLS), "");
    assert_string_equal(ask_tls(OLD "-tls1", GET_TLS), "");
    const char *refused = ask_tls(
        "", "PUT /refuse-head HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 999\\r\\n\\r\\nabc");
    assert_non_null(strstr(refused, "HTTP/1.1 403"));
    int fd = raw_connect(&raw); /* plain HTTP */
    assert_true(raw_send(fd, GET_X));
    assert_int_equal(raw_read_reply(fd, false, &reply), 0);
    close(fd);
    fd = raw_connect(&raw); /* a handshake that does not go on: HTTP-TIME-1 */
    uint64_t begin_ms = now_ms();
    assert_true(raw_send(fd, "\x16"));
    assert_true(raw_is_closed(fd));
    assert_in_range(now_ms() - begin_ms, 900, 3200);
    close(fd);
    raw_stop(&raw);
}

/* GnuTLS 3.7.9 leaks the certificate whose key it refuses. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libgnutls.so\n";
}

static void bad_certificates(void **state)
{
    (void)state;
    if (cert[0] == 0)
        skip();
    const struct {
        struct bytes cert, key;
    } BAD[] = {
        {BYTES_LIT("no certificate"), BYTES_LIT("no key")},
        {bytes_of_str(cert), BYTES_LIT("no key")},
        {bytes_of_str(cert), BYTES_LIT("")},
        {BYTES_LIT(""), bytes_of_str(key)},
        {bytes_first(bytes_of_str(cert), 200), bytes_of_str(key)},
    };
    struct http_service service = {&raw, raw_head, raw_body, raw_end, raw_done};
    for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
        struct http_options options = {.connections_max = 9,
                                       .connections_per_address_max = 9,
                                       .tls_cert = BAD[i].cert,
                                       .tls_key = BAD[i].key};
        struct http_front *front = NULL;
        struct err err;
        assert_int_equal(http_front_start("127.0.0.1:0", &options, &service, &front, &err),
                         ERR_INVALID);
        assert_null(front);
        assert_true(strlen(err.msg) > 12);
    }
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const NAMES[] = {"cert.pem", "key.pem"};
    char path[64];
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, NAMES[i]);
        unlink(path);
    }
    rmdir(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stop_when_idle),   cmocka_unit_test(stop_in_flight),
        cmocka_unit_test(stop_cuts),        cmocka_unit_test(out_of_memory),
        cmocka_unit_test(stop_under_load),  cmocka_unit_test(tls),
        cmocka_unit_test(bad_certificates),
    };
    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
