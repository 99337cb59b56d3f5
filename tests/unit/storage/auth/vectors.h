/* vectors.h - the SigV4 test vectors of AWS's aws-c-auth, read from a folder
 * beside the repository; tests skip where it is absent.
 *
 * Include once in a program, after fixture.h. */
#ifndef TESTS_UNIT_STORAGE_AUTH_VECTORS_H
#define TESTS_UNIT_STORAGE_AUTH_VECTORS_H

#include <dirent.h>
#include <jansson.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "tests/unit/storage/auth/fixture.h"

#define VECTORS_DIR   "../shared/vectors/sigv4"
#define VECTORS_COUNT 38

struct vector {
    const char *name;
    json_t *context;
    const char *access_key, *secret;
    bool has_token, omits_token, normalizes, signs_body;
};

UNUSED static const char *vector_text(struct fixture *f, const struct vector *v, const char *file)
{
    struct bytes content;
    struct bytes path = arena_printf(&f->arena, VECTORS_DIR "/%s/%s", v->name, file);
    assert_int_equal(file_read((const char *)path.data, MIB(1), &f->arena, &content, &f->err),
                     ERR_OK);
    return (const char *)content.data;
}

/* Put a line of the request's head; one that begins with a space continues the last. */
UNUSED static void vector_line(struct fixture *f, struct bytes line)
{
    struct bytes name;
    if (line.data[0] == ' ') {
        struct http_field *last = &f->fields[f->head.field_count - 1];
        last->value = arena_printf(&f->arena, "%.*s %.*s", BYTES_ARG(last->value),
                                   BYTES_ARG(bytes_trim(line)));
        return;
    }
    bytes_cut(&line, ':', &name);
    char *lower = arena_str(&f->arena, name);
    for (char *c = lower; *c; c++)
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c;
    f->fields[f->head.field_count++] = (struct http_field){bytes_of_str(lower), bytes_trim(line)};
}

/* Parse a request file: targets there hold raw spaces.
 *
 * returns  the body */
UNUSED static const char *vector_request(struct fixture *f, const struct vector *v,
                                         const char *file)
{
    struct bytes line, method, rest = bytes_of_str(vector_text(f, v, file));
    bytes_cut(&rest, '\n', &line);
    bytes_cut(&line, ' ', &method);
    request(f, text(f, method), text(f, bytes_first(line, line.len - strlen(" HTTP/1.1"))));
    while (bytes_cut(&rest, '\n', &line) && line.len > 0)
        vector_line(f, line);
    if (line.len > 0)
        vector_line(f, line);
    return text(f, rest);
}

UNUSED static void vector_open(struct fixture *f, struct vector *v)
{
    json_error_t why;
    v->context = json_loads(vector_text(f, v, "context.json"), 0, &why);
    assert_non_null(v->context);
    json_t *credentials = json_object_get(v->context, "credentials");
    v->access_key = json_string_value(json_object_get(credentials, "access_key_id"));
    v->secret = json_string_value(json_object_get(credentials, "secret_access_key"));
    v->has_token = json_object_get(credentials, "token") != NULL;
    v->omits_token = json_is_true(json_object_get(v->context, "omit_session_token"));
    v->normalizes = json_is_true(json_object_get(v->context, "normalize"));
    v->signs_body = json_is_true(json_object_get(v->context, "sign_body"));
    assert_int_equal(clock_parse("2015-08-30T12:36:00Z", 20, &f->now_unix_ms), 0);
}

/* Run `each` on every vector; skips the test where there are none. */
UNUSED static void vectors_each(struct fixture *f, void (*each)(struct fixture *, struct vector *))
{
    DIR *dir = opendir(VECTORS_DIR);
    size_t count = 0;
    if (!dir) {
        print_message("SKIP: no vectors in " VECTORS_DIR "\n");
        skip();
    }
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
            continue;
        struct vector v = {.name = entry->d_name};
        vector_open(f, &v);
        each(f, &v);
        json_decref(v.context);
        count++;
    }
    closedir(dir);
    assert_int_equal(count, VECTORS_COUNT);
}

#endif
