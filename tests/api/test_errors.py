"""What is not built says so by name; what is not set has its proper code (s3.md 23, ACC-43)."""
import pytest

NOT_SET = [("lifecycle", "NoSuchLifecycleConfiguration"), ("object-lock", "ObjectLockConfigurationNotFoundError"),
           ("tagging", "NoSuchTagSet"), ("cors", "NoSuchCORSConfiguration"),
           ("encryption", "ServerSideEncryptionConfigurationNotFoundError"), ("policy", "NoSuchBucketPolicy"),
           ("website", "NoSuchWebsiteConfiguration"), ("replication", "ReplicationConfigurationNotFoundError"),
           ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
           ("ownershipControls", "OwnershipControlsNotFoundError"), ("policyStatus", "NoSuchBucketPolicy")]


@pytest.mark.parametrize("query, code", NOT_SET)
def test_settings_that_are_not_set(raw, bucket, query, code):
    for form in (query, query + "="):
        answer = raw.request("GET", f"/{bucket}", form)
        assert (answer.status, answer.code) == (404, code), answer


def test_settings_that_are_empty(s3, bucket):
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert not [name for name in answer if name.endswith("Configurations")]
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"


@pytest.mark.parametrize("query", ["lifecycle", "cors", "encryption", "policy", "website", "replication",
                                   "publicAccessBlock", "ownershipControls", "tagging"])
def test_deleting_a_setting_that_is_not_set(raw, bucket, query):
    assert raw.request("DELETE", f"/{bucket}", query).status == 204
    assert raw.request("HEAD", f"/{bucket}").status == 200


NOT_BUILT = [
    ("PUT", "", "lifecycle", "PutBucketLifecycle"), ("PUT", "", "cors", "PutBucketCors"),
    ("PUT", "", "policy", "PutBucketPolicy"), ("PUT", "", "encryption", "PutBucketEncryption"),
    ("PUT", "", "website", "PutBucketWebsite"), ("PUT", "", "replication", "PutBucketReplication"),
    ("PUT", "", "logging", "PutBucketLogging"), ("PUT", "", "notification", "PutBucketNotification"),
    ("PUT", "", "accelerate", "PutBucketAccelerate"), ("PUT", "", "object-lock", "PutObjectLock"),
    ("PUT", "", "publicAccessBlock", "PutPublicAccessBlock"), ("PUT", "", "inventory&id=x", "PutBucketInventory"),
    ("PUT", "/k", "retention", "PutObjectRetention"), ("PUT", "/k", "legal-hold", "PutObjectLegalHold"),
    ("GET", "/k", "torrent", "GetObjectTorrent"), ("POST", "/k", "restore", "RestoreObject"),
    ("POST", "/k", "select&select-type=2", "SelectObjectContent"), ("GET", "", "session", "CreateSession"),
    ("GET", "", "no-such-thing", "no-such-thing")]


@pytest.mark.parametrize("method, key, query, name", NOT_BUILT)
def test_what_is_not_built_is_named(s3, raw, bucket, method, key, query, name):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    answer = raw.request(method, f"/{bucket}{key}", query, body=b"<x/>" if method != "GET" else b"")
    assert (answer.status, answer.code) == (501, "NotImplemented"), answer
    assert name in answer.message, answer
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


HEADERS = [("x-amz-server-side-encryption", "AES256"), ("x-amz-server-side-encryption", "aws:kms"),
           ("x-amz-server-side-encryption-customer-algorithm", "AES256"), ("x-amz-grant-read", "id=x"),
           ("x-amz-website-redirect-location", "/x"), ("x-amz-object-lock-mode", "GOVERNANCE"),
           ("x-amz-object-lock-legal-hold", "ON"), ("x-amz-storage-class", "GLACIER"),
           ("x-amz-acl", "public-read"), ("x-amz-write-offset-bytes", "5"), ("x-amz-no-such-header", "1")]


@pytest.mark.parametrize("name, value", HEADERS)
def test_headers_that_are_not_built_are_named(raw, bucket, name, value):
    """ACC-43: never ignored."""
    answer = raw.request("PUT", f"/{bucket}/k", headers=[(name, value)], body=b"hello")
    assert (answer.status, answer.code) == (501, "NotImplemented"), answer
    assert name in answer.message, answer
    assert raw.request("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.parametrize("name, value", [
    ("x-amz-acl", "private"), ("x-amz-acl", "bucket-owner-full-control"), ("x-amz-storage-class", "STANDARD"),
    ("x-amz-expected-bucket-owner", "000000000000"), ("x-amz-request-payer", "requester"),
    ("x-amz-object-lock-legal-hold", "OFF")])
def test_values_without_effect(raw, bucket, name, value):
    answer = raw.request("PUT", f"/{bucket}/k", headers=[(name, value)], body=b"hello")
    assert answer.status == 200, answer


def test_another_expected_owner(raw, bucket):
    """Silence would let a client write to whom it did not mean."""
    answer = raw.request("PUT", f"/{bucket}/k", headers=[("x-amz-expected-bucket-owner", "111122223333")],
                         body=b"hello")
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer


def test_preflight(box, bucket):
    answer = box.raw(user=None).request("OPTIONS", f"/{bucket}/k", headers=[
        ("Origin", "http://x"), ("Access-Control-Request-Method", "GET")])
    assert answer.status == 403, answer


def test_two_subresources(raw, bucket):
    answer = raw.request("GET", f"/{bucket}", "acl&tagging")
    assert answer.status in (400, 501), answer


@pytest.mark.parametrize("method, target", [("POST", "/"), ("PUT", "/"), ("DELETE", "/"), ("POST", "/{}/k")])
def test_methods_that_do_not_fit(raw, bucket, method, target):
    answer = raw.request(method, target.format(bucket))
    assert answer.status in (405, 501), answer


@pytest.mark.parametrize("call", ["location", "versioning", "object-lock", "uploads"])
def test_what_clients_probe_at_start(raw, bucket, call):
    answer = raw.request("GET", f"/{bucket}", call)
    assert answer.status in (200, 404, 501), answer
    if call != "uploads":
        assert answer.status != 501


def test_a_folder_marker(raw, bucket):
    answer = raw.request("PUT", f"/{bucket}/folder/", headers=[("Content-Length", "0")])
    assert answer.status == 200
    assert raw.request("HEAD", f"/{bucket}/folder/").headers["content-length"] == "0"
