/* control_test.c - the control socket: lines in and out, hostile lines, long
 * paths (BOX-KEY-1), dead sockets, silent callers.
 *
 * Caught on purpose: a socket address built from DIR's path (108 bytes). */
#include "appliance/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/control_socket.h"

static uint32_t asked_by;

static json_t *echo(void *ctx, uint32_t uid, const json_t *request)
{
    asked_by = uid;
    ++*(int *)ctx;
    return json_pack("{s:O}", "result", request);
}

static json_t *out_of_memory(void *ctx UNUSED, uint32_t uid UNUSED, const json_t *request UNUSED)
{
    return NULL;
}

static void answers_an_object(void **state UNUSED)
{
    int calls = 0;
    char *reply = control_answer_line(BYTES_LIT("{\"command\":\"x\"}"), 7, echo, &calls);
    assert_string_equal(reply, "{\"result\":{\"command\":\"x\"}}\n");
    assert_int_equal(calls, 1);
    free(reply);
}

static void refuses_what_is_no_object(void **state UNUSED)
{
    static const char *const lines[] = {
        "",
        "x",
        "[]",
        "\"text\"",
        "{\"a\":1",
        "null",
        "{\"a\":1} {}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\xff\"}",
    };
    int calls = 0;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        char *reply = control_answer_line(bytes_of_str(lines[i]), 7, echo, &calls);
        assert_non_null(strstr(reply, "\"error\""));
        assert_int_equal(reply[strlen(reply) - 1], '\n');
        free(reply);
    }
    assert_int_equal(calls, 0);
}

static void refuses_deep_nesting(void **state UNUSED)
{
    enum { DEPTH = 8000 };
    char line[2 * DEPTH];
    int calls = 0;
    memset(line, '[', sizeof(line));
    char *reply = control_answer_line(bytes_of(line, sizeof(line)), 7, echo, &calls);
    assert_non_null(strstr(reply, "\"error\""));
    free(reply);
}

static void no_memory_is_no_reply(void **state UNUSED)
{
    assert_null(control_answer_line(BYTES_LIT("{}"), 7, out_of_memory, NULL));
}

static long allocations_left; /* until the one that fails */

static void *failing_malloc(size_t size)
{
    return --allocations_left == 0 ? NULL : malloc(size);
}

/* Whichever allocation of the JSON library fails: no reply, or a whole one. */
static void survives_failing_allocations(void **state UNUSED)
{
    int calls = 0;
    long nth = 0;
    bool complete = false;
    json_set_alloc_funcs(failing_malloc, free);
    while (!complete) {
        allocations_left = ++nth;
        char *reply = control_answer_line(BYTES_LIT("{\"command\":\"x\"}"), 7, echo, &calls);
        complete = allocations_left > 0;
        if (reply)
            assert_int_equal(reply[strlen(reply) - 1], '\n');
        free(reply);
    }
    json_set_alloc_funcs(malloc, free);
    assert_true(nth > 5);
}

/* A folder whose path is far longer than a socket address. */
struct place {
    char root[64];
    char dir[512];
};

static void place_make(struct place *place)
{
    strcpy(place->root, "/tmp/valise-control-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    char name[201];
    memset(name, 'd', 200);
    name[200] = '\0';
    snprintf(place->dir, sizeof(place->dir), "%s/%s", place->root, name);
    assert_int_equal(mkdir(place->dir, 0700), 0);
}

static void place_drop(struct place *place)
{
    assert_int_equal(rmdir(place->dir), 0); /* the socket is gone */
    assert_int_equal(rmdir(place->root), 0);
}

static struct control *start(const struct place *place, int *calls)
{
    struct control *control;
    struct err err;
    assert_int_equal(control_start(place->dir, echo, calls, &control, &err), ERR_OK);
    return control;
}

static enum err_code call(const struct place *place)
{
    struct err err;
    json_t *request = json_pack("{s:s}", "command", "x"), *reply = NULL;
    enum err_code code = control_call(place->dir, request, &reply, &err);
    if (code == ERR_OK)
        assert_true(json_equal(json_object_get(reply, "result"), request));
    json_decref(request);
    json_decref(reply);
    return code;
}

static void long_paths_and_modes(void **state UNUSED)
{
    struct place place;
    place_make(&place);
    int calls = 0;
    assert_int_equal(call(&place), ERR_NOT_FOUND);
    struct control *control = start(&place, &calls);
    asked_by = getuid() + 1;
    char path[600];
    snprintf(path, sizeof(path), "%s/control", place.dir);
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0600);
    for (int i = 0; i < 10; i++)
        assert_int_equal(call(&place), ERR_OK);
    assert_int_equal(calls, 10);
    assert_int_equal(asked_by, getuid()); /* as the kernel says */
    control_stop(control);
    assert_int_equal(call(&place), ERR_NOT_FOUND);
    place_drop(&place);
}

static void dead_sockets_are_nobody_and_replaced(void **state UNUSED)
{
    struct place place;
    place_make(&place);
    int dir_fd, calls = 0;
    struct sockaddr_un address;
    assert_int_equal(control_socket_address(place.dir, &dir_fd, &address, NULL), ERR_OK);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    close(dir_fd);
    assert_int_equal(call(&place), ERR_NOT_FOUND);
    struct control *control = start(&place, &calls);
    assert_int_equal(call(&place), ERR_OK);
    control_stop(control);
    place_drop(&place);
}

static int connect_to(const struct place *place)
{
    int dir_fd;
    struct sockaddr_un address;
    assert_int_equal(control_socket_address(place->dir, &dir_fd, &address, NULL), ERR_OK);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(dir_fd);
    return fd;
}

/* Callers that hang up, or say too much, leave the next one served. */
static void bad_callers_are_dropped(void **state UNUSED)
{
    struct place place;
    place_make(&place);
    int calls = 0;
    struct control *control = start(&place, &calls);
    close(connect_to(&place));
    int fd = connect_to(&place);
    char much[CONTROL_REQUEST_MAX + 1];
    memset(much, 'x', sizeof(much));
    (void)!send(fd, much, sizeof(much), MSG_NOSIGNAL);
    assert_int_equal(call(&place), ERR_OK);
    close(fd);
    control_stop(control);
    place_drop(&place);
}

static void lines_have_a_deadline_and_a_cap(void **state UNUSED)
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    struct buf line;
    struct err err;
    buf_init(&line, 8);
    assert_int_equal(control_socket_read_line(fds[0], &line, 20, &err), ERR_TIMEOUT);
    assert_int_equal(control_socket_write(fds[1], BYTES_LIT("12345678\n"), 20, &err), ERR_OK);
    assert_int_equal(control_socket_read_line(fds[0], &line, 20, &err), ERR_OK);
    assert_true(bytes_equal_str(buf_bytes(&line), "12345678"));
    buf_clear(&line);
    assert_int_equal(control_socket_write(fds[1], BYTES_LIT("123456789\n"), 20, &err), ERR_OK);
    assert_int_equal(control_socket_read_line(fds[0], &line, 20, &err), ERR_LIMIT);
    buf_clear(&line);
    close(fds[1]);
    assert_int_equal(control_socket_read_line(fds[0], &line, 20, &err), ERR_CLOSED);
    close(fds[0]);
    buf_done(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_an_object),
        cmocka_unit_test(refuses_what_is_no_object),
        cmocka_unit_test(refuses_deep_nesting),
        cmocka_unit_test(no_memory_is_no_reply),
        cmocka_unit_test(survives_failing_allocations),
        cmocka_unit_test(long_paths_and_modes),
        cmocka_unit_test(dead_sockets_are_nobody_and_replaced),
        cmocka_unit_test(bad_callers_are_dropped),
        cmocka_unit_test(lines_have_a_deadline_and_a_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
