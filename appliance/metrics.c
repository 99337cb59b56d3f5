/* metrics.c - see metrics.h. */
#include "appliance/metrics.h"

#include <stdio.h>
#include <unistd.h>

#include "appliance/version.h"
#include "base/metrics.h"
#include "storage/obj/change.h"

struct number {
    const char *name, *type, *help;
    uint64_t value;
};

static void write_numbers(struct buf *to, const struct number *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        metrics_write_type(to, numbers[i].name, numbers[i].type, numbers[i].help);
        metrics_write(to, numbers[i].name, "", numbers[i].value);
    }
}

/* Resident bytes of this process, 0 where they cannot be read. */
static uint64_t resident_bytes(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    unsigned long long size, resident = 0;
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void write_process(struct buf *to)
{
    metrics_write_type(to, "valise_build_info", "gauge", "Version of the program.");
    metrics_write(to, "valise_build_info", "version=\"" VERSION_TEXT "\"", 1);
    const struct number numbers[] = {
        {"process_resident_memory_bytes", "gauge", "Resident memory.", resident_bytes()},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
}

static void write_health(struct buf *to, const struct health *health)
{
    struct health_report report = health_look(health);
    const struct number numbers[] = {
        {"valise_healthy", "gauge", "1: serves reads and writes.", report.ok},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
    metrics_write_type(to, "valise_problem", "gauge", "1: this problem is there now.");
    for (enum health_item item = 0; item < HEALTH_ITEMS; item++) {
        char label[64];
        snprintf(label, sizeof(label), "problem=\"%s\"", health_name(item));
        metrics_write(to, "valise_problem", label, report.found[item]);
    }
}

static void write_space(struct buf *to, const struct space *space)
{
    struct space_now now = space_now(space);
    const struct number numbers[] = {
        {"valise_disk_bytes", "gauge", "Size of the data's file system.", now.total_bytes},
        {"valise_disk_available_bytes", "gauge", "Space left there.", now.available_bytes},
        {"valise_disk_full", "gauge", "1: past the high-water mark, writes are refused.", now.full},
        {"valise_disk_reserve_bytes", "gauge", "Space held back now.", now.reserve_bytes},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
}

static void write_commits(struct buf *to, const struct committer *committer)
{
    const struct committer_stats *stats = committer_stats(committer);
    const struct number numbers[] = {
        {"valise_commit_batches_total", "counter", "Batches committed.",
         metrics_get(&stats->batches)},
        {"valise_commit_groups_total", "counter", "Synced writes that carried them.",
         metrics_get(&stats->groups)},
        {"valise_commit_bytes_total", "counter", "Bytes of keys and values committed.",
         metrics_get(&stats->bytes)},
        {"valise_durable_seq", "gauge", "Sequence number of the last durable change.",
         committer_durable_seq(committer)},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
    metrics_write_type(to, "valise_commit_write_seconds", "histogram", "Time of a synced write.");
    metrics_write_histogram(to, "valise_commit_write_seconds", "", &stats->write_time);
}

static void write_store(struct buf *to, struct store *store)
{
    const struct store_stats *stats = store_stats(store);
    struct store_space space;
    store_get_space(store, &space);
    const struct number numbers[] = {
        {"valise_buckets", "gauge", "Buckets.", space.buckets},
        {"valise_segment_files", "gauge", "Files of large bodies.", space.segment_files},
        {"valise_segment_bytes", "gauge", "Their size.", space.segment_bytes},
        {"valise_segment_live_bytes", "gauge", "What is alive in them.", space.live_bytes},
        {"valise_segment_syncs_total", "counter", "Syncs of them.", space.syncs},
        {"valise_rot_found_total", "counter", "Blocks that failed their check.",
         metrics_get(&stats->rot_found)},
        {"valise_bodies_freed_total", "counter", "Large bodies freed.",
         metrics_get(&stats->bodies_freed)},
        {"valise_bytes_freed_total", "counter", "Bytes of large bodies freed.",
         metrics_get(&stats->bytes_freed)},
        {"valise_sweep_errors_total", "counter", "Failures to free.",
         metrics_get(&stats->sweep_errors)},
        {"valise_bodies_moved_total", "counter", "Large bodies moved out of sparse files.",
         metrics_get(&stats->bodies_moved)},
        {"valise_bytes_moved_total", "counter", "Bytes moved so.",
         metrics_get(&stats->bytes_moved)},
        {"valise_compact_errors_total", "counter", "Failures to do so.",
         metrics_get(&stats->compact_errors)},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
}

static enum err_code write_reader(void *ctx, struct bytes name, uint64_t lag, struct err *err)
{
    (void)err;
    char label[METRICS_LABEL_MAX];
    metrics_label(label, "reader", name);
    metrics_write(ctx, "valise_change_reader_lag", label, lag);
    return ERR_OK;
}

/* A log that cannot be read is told of by its absence, and by the store's own errors. */
static void write_changes(struct buf *to, struct store *store)
{
    uint64_t lag;
    if (change_lag(store, &lag, NULL) != ERR_OK)
        return;
    const struct number numbers[] = {
        {"valise_change_lag", "gauge",
         "How far the last reader of the change log is behind, in sequence numbers.", lag},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
    metrics_write_type(to, "valise_change_reader_lag", "gauge", "The same for each reader.");
    (void)!change_reader_each(store, write_reader, to, NULL);
}

static void write_kv(struct buf *to, struct kv *kv)
{
    const struct number numbers[] = {
        {"valise_kv_sst_bytes", "gauge", "Size of the ordered store's files.",
         kv->calls->property(kv, "sst_bytes")},
        {"valise_kv_memtable_bytes", "gauge", "Memory of what was written lately.",
         kv->calls->property(kv, "memtable_bytes")},
        {"valise_kv_cache_bytes", "gauge", "Memory of what was read.",
         kv->calls->property(kv, "cache_bytes")},
        {"valise_kv_compaction_bytes", "gauge", "What waits to be rewritten there.",
         kv->calls->property(kv, "compaction_bytes")},
        {"valise_kv_background_errors", "gauge", "Failures of its own writing.",
         kv->calls->property(kv, "background_errors")},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
}

static void write_audit(struct buf *to, struct audit *audit, const struct audit_repeat *repeat)
{
    const struct audit_stats *stats = audit_stats(audit);
    const struct number numbers[] = {
        {"valise_audit_entries_total", "counter", "Entries written to the audit log.",
         metrics_get(&stats->entries)},
        {"valise_audit_failures_total", "counter", "Commits that could not write their entries.",
         metrics_get(&stats->failures)},
        {"valise_audit_counted_total", "counter",
         "Refused requests and reads of damaged objects, counted for the audit log.",
         audit_repeat_total(repeat)},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
}

/* What cannot be read is told as never: an alarm then. */
static void write_backup(struct buf *to, struct backup *backup)
{
    struct backup_last last;
    struct err err;
    if (backup_get_last(backup, &last, &err) != ERR_OK)
        last = (struct backup_last){0};
    const struct number numbers[] = {
        {"valise_backup_running", "gauge", "1: a backup is being made.", backup_is_running(backup)},
        {"valise_backup_last_success_timestamp_seconds", "gauge",
         "When a backup last ended whole; 0: never.", last.succeeded_unix_ms / 1000},
        {"valise_backup_last_failed", "gauge", "1: the last one failed, or found damage.",
         last.finished_unix_ms != last.succeeded_unix_ms},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
}

static void write_front(struct buf *to, const struct http_front *front)
{
    struct http_front_stats stats;
    http_front_get_stats(front, &stats);
    const struct number numbers[] = {
        {"valise_http_connections", "gauge", "Connections now.", stats.connections},
        {"valise_http_accepted_total", "counter", "Connections accepted.", stats.accepted},
        {"valise_http_refused_total", "counter", "Refused: too many in all.", stats.refused_total},
        {"valise_http_refused_address_total", "counter", "Refused: too many of one address.",
         stats.refused_address},
        {"valise_http_dropped_slow_total", "counter", "Dropped: head or body too slow.",
         stats.dropped_slow},
        {"valise_http_bad_heads_total", "counter", "Requests with a head that breaks the rules.",
         stats.bad_heads},
    };
    write_numbers(to, numbers, ARRAY_LEN(numbers));
}

void metrics_page(struct metrics_sources *sources, struct buf *to)
{
    write_process(to);
    write_health(to, sources->health);
    write_space(to, sources->space);
    write_commits(to, sources->box->committer);
    write_store(to, sources->box->store);
    write_changes(to, sources->box->store);
    write_kv(to, sources->box->kv);
    write_backup(to, sources->box->backup);
    write_audit(to, sources->box->audit, sources->repeat);
    const struct http_front *front = atomic_load(&sources->front);
    if (front)
        write_front(to, front);
    s3_metrics(sources->s3, to);
}
