/* not_built.c - what S3 has and this server does not: said plainly, by name.
 *
 * Source    Amazon S3 API Reference, "Error responses", and each action's reply where nothing is
 * set. */
#include "storage/s3/answer.h"
#include "storage/s3/op/op.h"

enum err_code not_built_begin(struct call *call, struct err *err)
{
    return s3_fail_because(err, S3_NOT_IMPLEMENTED, "%s is not implemented", call->route->name);
}

/* A setting that is not set. */
enum err_code not_set_begin(struct call *call, struct err *err)
{
    call_detail(call, "BucketName", call->bucket_name);
    return s3_fail(err, call->route->absent);
}

/* Deleting what is not there: done. */
enum err_code not_there_run(struct call *call, struct err *err)
{
    (void)err;
    answer_empty(call, 204);
    return ERR_OK;
}

/* Settings that S3 shows as an empty document where they are not set. */
static const struct {
    const char *query, *root;
    const char *name, *value; /* the one element in it; NULL = none */
    bool is_list;             /* of configurations by id: one asked for by id is not there */
} empty_settings[] = {
    {"accelerate", "AccelerateConfiguration", NULL, NULL, false},
    {"analytics", "ListBucketAnalyticsConfigurationResult", "IsTruncated", "false", true},
    {"intelligent-tiering", "ListBucketIntelligentTieringConfigurationsOutput", "IsTruncated",
     "false", true},
    {"inventory", "ListInventoryConfigurationsResult", "IsTruncated", "false", true},
    {"logging", "BucketLoggingStatus", NULL, NULL, false},
    {"metrics", "ListMetricsConfigurationsResult", "IsTruncated", "false", true},
    {"notification", "NotificationConfiguration", NULL, NULL, false},
    {"requestPayment", "RequestPaymentConfiguration", "Payer", "BucketOwner", false},
};

enum err_code empty_setting_run(struct call *call, struct err *err)
{
    struct xml_write xml;
    size_t at = 0;
    while (at < ARRAY_LEN(empty_settings) &&
           strcmp(empty_settings[at].query, call->route->query) != 0)
        at++;
    if (at == ARRAY_LEN(empty_settings))
        return not_built_begin(call, err);
    if (empty_settings[at].is_list && call_param(call, "id").data)
        return s3_fail(err, S3_NO_SUCH_CONFIGURATION);
    xml_write_start(&xml, &call->out, empty_settings[at].root, true);
    if (empty_settings[at].name)
        xml_write_str(&xml, empty_settings[at].name, empty_settings[at].value);
    xml_write_end(&xml);
    return answer_document(call, err);
}
