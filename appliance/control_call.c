/* control_call.c - the asking end of the control socket; see control.h. */
#include "appliance/control.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "appliance/control_socket.h"

/* A socket that nobody listens on was left by a box that died. */
static bool is_nobody(int failed)
{
    return failed == ENOENT || failed == ECONNREFUSED;
}

static enum err_code open_connection(const char *dir, int *ret_fd, struct err *err)
{
    int dir_fd;
    struct sockaddr_un address;
    enum err_code code = control_socket_address(dir, &dir_fd, &address, err);
    if (code != ERR_OK)
        return code;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int failed = 0;
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        failed = errno;
    close(dir_fd);
    if (!failed) {
        *ret_fd = fd;
        return ERR_OK;
    }
    if (fd >= 0)
        close(fd);
    if (is_nobody(failed))
        return err_fail(err, ERR_NOT_FOUND, "no box is running on '%s'", dir);
    return err_fail_sys(err, failed, "reaching the box that runs on '%s'", dir);
}

static enum err_code send_request(int fd, const json_t *request, struct err *err)
{
    char *text = json_dumps(request, JSON_COMPACT);
    if (!text)
        return err_fail(err, ERR_NO_MEMORY, "out of memory");
    enum err_code code = control_socket_write(fd, bytes_of_str(text), CONTROL_MS, err);
    free(text);
    return code == ERR_OK ? control_socket_write(fd, BYTES_LIT("\n"), CONTROL_MS, err) : code;
}

static enum err_code read_reply(int fd, json_t **ret_reply, struct err *err)
{
    struct buf line;
    buf_init(&line, CONTROL_REPLY_MAX);
    enum err_code code = control_socket_read_line(fd, &line, CONTROL_CALL_MS, err);
    if (code == ERR_OK) {
        json_error_t why;
        *ret_reply = json_loadb((const char *)line.data, line.len, 0, &why);
        if (!json_is_object(*ret_reply)) {
            json_decref(*ret_reply);
            code = err_fail(err, ERR_INVALID, "the running box's answer is not understood");
        }
    }
    buf_done(&line);
    return code;
}

enum err_code control_call(const char *dir, const json_t *request, json_t **ret_reply,
                           struct err *err)
{
    int fd = -1;
    enum err_code code = open_connection(dir, &fd, err);
    if (code != ERR_OK)
        return code;
    code = send_request(fd, request, err);
    if (code == ERR_OK)
        code = read_reply(fd, ret_reply, err);
    close(fd);
    return code;
}
