/* metrics_test.c - BASE-METRICS-1. */
#include "base/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/limits.h"

static void assert_text(struct buf *buf, const char *expected)
{
    buf_append_u8(buf, '\0');
    assert_true(buf_ok(buf));
    assert_string_equal((const char *)buf->data, expected);
    buf_clear(buf);
}

static void writes_samples(void **state UNUSED)
{
    AUTO(buf) struct buf buf;

    buf_init(&buf, KIB(4));
    metrics_write_type(&buf, "valise_x_total", "counter", "Things done");
    assert_text(&buf, "# HELP valise_x_total Things done\n# TYPE valise_x_total counter\n");
    metrics_write(&buf, "valise_x_total", "", 0);
    metrics_write(&buf, "valise_x_total", "op=\"Put\"", UINT64_MAX);
    assert_text(&buf, "valise_x_total 0\nvalise_x_total{op=\"Put\"} 18446744073709551615\n");
}

static void counts(void **state UNUSED)
{
    struct metrics_counter counter = {0};

    metrics_add(&counter, 2);
    metrics_add(&counter, 3);
    assert_int_equal(metrics_get(&counter), 5);
}

/* BASE-METRICS-1: on a bound and one past it, for every bound. */
static void observes_into_the_right_bucket(void **state UNUSED)
{
    uint64_t bound_us = 50, sum_us = 0;
    struct metrics_histogram histogram = {0};

    for (int i = 0; i < METRICS_BUCKETS - 1; i++, bound_us *= 2) {
        metrics_observe_us(&histogram, bound_us);
        metrics_observe_us(&histogram, bound_us + 1);
        sum_us += 2 * bound_us + 1;
    }
    assert_int_equal(metrics_get(&histogram.bucket[0]), 1);
    for (int i = 1; i < METRICS_BUCKETS - 1; i++)
        assert_int_equal(metrics_get(&histogram.bucket[i]), 2);
    assert_int_equal(metrics_get(&histogram.bucket[METRICS_BUCKETS - 1]), 1);
    assert_int_equal(metrics_get(&histogram.sum_us), sum_us);
    metrics_observe_us(&histogram, 0);
    assert_int_equal(metrics_get(&histogram.bucket[0]), 2);
    metrics_observe_us(&histogram, UINT64_MAX);
    assert_int_equal(metrics_get(&histogram.bucket[METRICS_BUCKETS - 1]), 2);
}

/* BASE-METRICS-1 */
static void writes_histograms(void **state UNUSED)
{
    AUTO(buf) struct buf buf;
    struct metrics_histogram histogram = {0};
    char *text;

    buf_init(&buf, KIB(16));
    metrics_observe_us(&histogram, 20);
    metrics_observe_us(&histogram, 90);
    metrics_observe_us(&histogram, 100000000);
    metrics_write_histogram(&buf, "h", "op=\"Put\"", &histogram);
    buf_append_u8(&buf, '\0');
    text = (char *)buf.data;
    assert_non_null(strstr(text, "h_bucket{op=\"Put\",le=\"0.000050\"} 1\n"));
    assert_non_null(strstr(text, "h_bucket{op=\"Put\",le=\"0.000100\"} 2\n"));
    assert_non_null(strstr(text, "h_bucket{op=\"Put\",le=\"13.107200\"} 2\n"));
    assert_non_null(strstr(text, "h_bucket{op=\"Put\",le=\"+Inf\"} 3\n"));
    assert_non_null(strstr(text, "h_sum{op=\"Put\"} 100.000110\nh_count{op=\"Put\"} 3\n"));
    buf_clear(&buf);
    metrics_write_histogram(&buf, "h", "", &histogram);
    buf_append_u8(&buf, '\0');
    text = (char *)buf.data;
    assert_memory_equal(text, "h_bucket{le=\"0.000050\"} 1\n", 26);
    assert_non_null(strstr(text, "\nh_sum 100.000110\nh_count 3\n"));
}

/* BASE-METRICS-1: any byte in a value leaves one label, well-formed. */
static void writes_labels(void **state UNUSED)
{
    char label[METRICS_LABEL_MAX];
    uint8_t worst[2 * METRICS_LABEL_VALUE_MAX];

    metrics_label(label, "reader", BYTES_LIT("functions"));
    assert_string_equal(label, "reader=\"functions\"");
    metrics_label(label, "reader", BYTES_LIT("a\"b\\c\nd\0e\x7f\xc3\xa9"));
    assert_string_equal(label, "reader=\"a\\\"b\\\\c\\nd?e???\"");
    metrics_label(label, "reader", bytes_of(NULL, 0));
    assert_string_equal(label, "reader=\"\"");
    memset(worst, '"', sizeof(worst));
    metrics_label(label, "a_name_longer_than_there_is_room_for", bytes_of(worst, sizeof(worst)));
    assert_int_equal(strlen(label), 28 + 2 + 2 * METRICS_LABEL_VALUE_MAX + 1);
    assert_true(strlen(label) < METRICS_LABEL_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_samples),
        cmocka_unit_test(counts),
        cmocka_unit_test(observes_into_the_right_bucket),
        cmocka_unit_test(writes_histograms),
        cmocka_unit_test(writes_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
