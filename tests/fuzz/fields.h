/* fields.h - a request head made of a fuzzer's input: lines "name:value". */
#ifndef TESTS_FUZZ_FIELDS_H
#define TESTS_FUZZ_FIELDS_H

#include "base/http/head.h"

#define FIELDS_MAX      16
#define FIELDS_TEXT_MAX 8192 /* bytes */

struct fields {
    struct http_head head;
    struct http_field items[FIELDS_MAX];
    uint8_t text[FIELDS_TEXT_MAX]; /* the input, names in lower case */
};

/* Cut `input` into fields. */
static inline void fields_cut(struct fields *fields, struct bytes input)
{
    struct bytes line, rest = bytes_of(fields->text, bytes_first(input, FIELDS_TEXT_MAX).len);
    fields->head = (struct http_head){.fields = fields->items, .field_count = 0};
    if (rest.len > 0)
        memcpy(fields->text, input.data, rest.len);
    while (rest.len > 0 && fields->head.field_count < FIELDS_MAX) {
        struct http_field *field = &fields->items[fields->head.field_count++];
        bytes_cut(&rest, '\n', &line);
        bytes_cut(&line, ':', &field->name);
        field->value = bytes_trim(line);
        for (uint8_t *c = (uint8_t *)field->name.data; c < field->name.data + field->name.len; c++)
            *c = *c >= 'A' && *c <= 'Z' ? *c | 0x20 : *c;
    }
}

#endif
