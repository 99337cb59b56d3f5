/* control.c - see control.h. */
#include "appliance/control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "appliance/control_socket.h"
#include "base/log.h"

#define CONTROL_BACKLOG 16

struct control {
    control_fn answer;
    void *ctx;
    int dir_fd, listen_fd, stop_fd;
    pthread_t thread;
};

static json_t *refusal(const char *why)
{
    return json_pack("{s:{s:s, s:s}}", "error", "code", err_code_name(ERR_INVALID), "message", why);
}

char *control_answer_line(struct bytes line, uint32_t uid, control_fn answer, void *ctx)
{
    json_error_t why;
    json_t *request = json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, &why);
    json_t *reply = json_is_object(request) ? answer(ctx, uid, request)
                                            : refusal("the request is not a JSON object");
    json_decref(request);
    char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;
    json_decref(reply);
    if (!text)
        return NULL;
    size_t len = strlen(text);
    char *ended = realloc(text, len + 2);
    if (!ended) {
        free(text);
        return NULL;
    }
    memcpy(ended + len, "\n", 2);
    return ended;
}

/* As whom the other end connected: the kernel's word, not the request's. */
static enum err_code find_caller(int fd, uint32_t *ret_uid, struct err *err)
{
    struct ucred caller;
    socklen_t len = sizeof(caller);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &caller, &len) != 0)
        return err_fail_sys(err, errno, "asking who asks");
    *ret_uid = caller.uid;
    return ERR_OK;
}

static void serve_one(const struct control *control, int fd)
{
    uint32_t uid = 0;
    struct buf line;
    buf_init(&line, CONTROL_REQUEST_MAX);
    struct err err;
    enum err_code code = find_caller(fd, &uid, &err);
    char *reply = NULL;
    if (code == ERR_OK)
        code = control_socket_read_line(fd, &line, CONTROL_MS, &err);
    if (code == ERR_OK)
        reply = control_answer_line(buf_bytes(&line), uid, control->answer, control->ctx);
    if (reply)
        code = control_socket_write(fd, bytes_of_str(reply), CONTROL_MS, &err);
    else if (code == ERR_OK)
        code = err_fail(&err, ERR_NO_MEMORY, "out of memory");
    if (code != ERR_OK)
        log_error("control", "request", &err);
    free(reply);
    buf_done(&line);
}

/* returns  false when it is time to stop */
static bool wait_for_caller(const struct control *control)
{
    struct pollfd fds[2] = {
        {.fd = control->stop_fd, .events = POLLIN},
        {.fd = control->listen_fd, .events = POLLIN},
    };
    while (poll(fds, 2, -1) < 0 && errno == EINTR)
        ;
    return fds[0].revents == 0;
}

static void *run(void *arg)
{
    const struct control *control = arg;
    while (wait_for_caller(control)) {
        int fd = accept4(control->listen_fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            continue;
        serve_one(control, fd);
        close(fd);
    }
    return NULL;
}

/* Bind under the umask of lifecycle.c: never open to others, not for a moment. */
static enum err_code bind_and_listen(struct control *control, const char *dir, struct err *err)
{
    struct sockaddr_un address;
    enum err_code code = control_socket_address(dir, &control->dir_fd, &address, err);
    if (code != ERR_OK)
        return code;
    control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (control->listen_fd < 0)
        return err_fail_sys(err, errno, "making the control socket");
    if (unlinkat(control->dir_fd, "control", 0) != 0 && errno != ENOENT)
        return err_fail_sys(err, errno, "removing the old control socket");
    if (bind(control->listen_fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        return err_fail_sys(err, errno, "making the control socket in '%s'", dir);
    if (chmod(address.sun_path, 0600) != 0 || listen(control->listen_fd, CONTROL_BACKLOG) != 0)
        return err_fail_sys(err, errno, "listening on the control socket");
    return ERR_OK;
}

static enum err_code start_thread(struct control *control, struct err *err)
{
    control->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (control->stop_fd < 0)
        return err_fail_sys(err, errno, "making an event");
    int failed = pthread_create(&control->thread, NULL, run, control);
    if (failed)
        return err_fail_sys(err, failed, "starting the control thread");
    return ERR_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void release(struct control *control)
{
    close_fd(control->listen_fd);
    close_fd(control->stop_fd);
    close_fd(control->dir_fd);
    free(control);
}

enum err_code control_start(const char *dir, control_fn answer, void *ctx,
                            struct control **ret_control, struct err *err)
{
    struct control *control = malloc(sizeof(*control));
    if (!control)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    *control = (struct control){
        .answer = answer, .ctx = ctx, .dir_fd = -1, .listen_fd = -1, .stop_fd = -1};
    enum err_code code = bind_and_listen(control, dir, err);
    if (code == ERR_OK)
        code = start_thread(control, err);
    if (code != ERR_OK)
        release(control);
    else
        *ret_control = control;
    return code;
}

void control_stop(struct control *control)
{
    if (!control)
        return;
    const uint64_t one = 1;
    (void)!write(control->stop_fd, &one, sizeof(one));
    pthread_join(control->thread, NULL);
    unlinkat(control->dir_fd, "control", 0);
    release(control);
}
