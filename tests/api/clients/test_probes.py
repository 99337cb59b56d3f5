"""What clients ask before they begin: mc, rclone, restic, s3fs, Veeam, Hadoop S3A (s3.md 23).

Each row is one request as that client sends it; the answer is the one that lets it go on.
"""
import pytest

import sigv4
from uploads import Upload, read

EMPTY = sigv4.EMPTY_SHA256
PROBES = [
    # client, method, below the bucket, query, status, code or what the body has
    ("mc", "GET", "", "location=", 200, b"LocationConstraint"),
    ("mc", "HEAD", "", "", 200, b""),
    ("mc", "GET", "", "versioning=", 200, b"VersioningConfiguration"),
    ("mc", "GET", "", "object-lock=", 404, "ObjectLockConfigurationNotFoundError"),
    ("mc", "GET", "", "encryption=", 404, "ServerSideEncryptionConfigurationNotFoundError"),
    ("mc", "GET", "", "lifecycle=", 404, "NoSuchLifecycleConfiguration"),
    ("mc", "GET", "", "replication=", 404, "ReplicationConfigurationNotFoundError"),
    ("mc", "GET", "", "policy=", 404, "NoSuchBucketPolicy"),
    ("mc", "GET", "", "notification=", 200, b"NotificationConfiguration"),
    ("mc", "GET", "", "tagging=", 404, "NoSuchTagSet"),
    ("mc", "GET", "", "delimiter=%2F&encoding-type=url&fetch-owner=true&list-type=2&prefix=", 200, b"ListBucketResult"),
    ("mc", "GET", "", "delimiter=%2F&encoding-type=url&key-marker=&max-uploads=1000&prefix=&upload-id-marker=&uploads=",
     200, b"ListMultipartUploadsResult"),
    ("rclone", "GET", "", "delimiter=%2F&encoding-type=url&list-type=2&max-keys=1000&prefix=", 200, b"ListBucketResult"),
    ("rclone", "GET", "", "delimiter=%2F&max-keys=1000&prefix=a%2F", 200, b"ListBucketResult"),
    ("rclone", "HEAD", "nothing", "", 404, b""),
    ("rclone", "GET", "", "uploads=", 200, b"ListMultipartUploadsResult"),
    ("restic", "GET", "", "location=", 200, b"LocationConstraint"),
    ("restic", "HEAD", "config", "", 404, b""),
    ("restic", "GET", "", "delimiter=&encoding-type=url&fetch-owner=true&list-type=2&prefix=keys%2F", 200,
     b"ListBucketResult"),
    ("s3fs", "GET", "", "", 200, b"ListBucketResult"),
    ("s3fs", "GET", "", "location", 200, b"LocationConstraint"),
    ("s3fs", "HEAD", "folder/", "", 404, b""),
    ("s3fs", "HEAD", "folder_%24folder%24", "", 404, b""),
    ("s3fs", "GET", "", "delimiter=/&max-keys=2&prefix=folder/", 200, b"ListBucketResult"),
    ("s3fs", "GET", "", "uploads", 200, b"ListMultipartUploadsResult"),
    ("Veeam", "GET", "", "versioning", 200, b"VersioningConfiguration"),
    ("Veeam", "GET", "", "object-lock", 404, "ObjectLockConfigurationNotFoundError"),
    ("Veeam", "GET", "", "versions&max-keys=1&prefix=Veeam%2F", 200, b"ListVersionsResult"),
    ("Veeam", "GET", "", "list-type=2&max-keys=1&prefix=Veeam%2FArchive%2F&delimiter=%2F", 200, b"ListBucketResult"),
    ("S3A", "GET", "", "list-type=2&delimiter=%2F&max-keys=2&prefix=user%2Fx%2F&fetch-owner=false", 200,
     b"ListBucketResult"),
    ("S3A", "HEAD", "user/x", "", 404, b""),
    ("S3A", "GET", "", "uploads&prefix=__magic%2F", 200, b"ListMultipartUploadsResult"),
    ("S3A", "GET", "", "acl", 200, b"FULL_CONTROL"),
    ("cyberduck", "GET", "", "logging", 200, b"BucketLoggingStatus"),
    ("cyberduck", "GET", "", "cors", 404, "NoSuchCORSConfiguration"),
    ("cyberduck", "GET", "", "website", 404, "NoSuchWebsiteConfiguration"),
    ("cyberduck", "GET", "", "requestPayment", 200, b"BucketOwner"),
    ("terraform", "GET", "", "publicAccessBlock", 404, "NoSuchPublicAccessBlockConfiguration"),
    ("terraform", "GET", "", "ownershipControls", 404, "OwnershipControlsNotFoundError"),
    ("terraform", "GET", "", "accelerate", 200, b"AccelerateConfiguration"),
]


@pytest.mark.parametrize("client, method, below, query, status, answer", PROBES,
                         ids=lambda value: str(value)[:40])
@pytest.mark.parametrize("slash", ["", "/"])
def test_probes(raw, bucket, client, method, below, query, status, answer, slash):
    """S3-UNSET-1. A slash behind the bucket is the bucket."""
    path = f"/{bucket}/{below}" if below else f"/{bucket}{slash}"
    got = raw.request(method, path, query)
    assert got.status == status, got
    if isinstance(answer, str):
        assert got.code == answer, got
    else:
        assert answer in got.body and (answer or not got.body), got
    assert got.headers["x-amz-request-id"]


def test_bucket_that_is_not_there(raw, s3):
    for method, query in (("HEAD", ""), ("GET", "location="), ("GET", "versioning"), ("GET", "uploads"),
                          ("GET", "object-lock"), ("GET", "list-type=2")):
        got = raw.request(method, "/not-there", query)
        assert got.status == 404 and got.code == (None if method == "HEAD" else "NoSuchBucket"), got


def test_folders_as_objects(raw, s3, bucket):
    """PUT of 0 bytes on a name that ends in a slash: s3fs, S3A, the consoles."""
    for body, headers in ((b"", [("Content-Type", "application/x-directory")]), (b"", [("Expect", "100-continue")])):
        got = raw.request("PUT", f"/{bucket}/folder/", headers=headers, body=body)
        assert got.status == 200, got
    s3.put_object(Bucket=bucket, Key="folder/file", Body=b"x")
    assert read(s3, bucket, "folder/") == b""
    listed = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in listed["CommonPrefixes"]] == ["folder/"] and "Contents" not in listed
    assert raw.request("HEAD", f"/{bucket}/folder/").headers["content-length"] == "0"
    assert raw.request("HEAD", f"/{bucket}/folder").status == 404
    raw.request("DELETE", f"/{bucket}/folder/")
    assert read(s3, bucket, "folder/file") == b"x"


def test_fields_without_effect(raw, s3, bucket):
    """S3-HEADER-1: what rclone, s3cmd and Veeam add to every upload is taken."""
    for name, value in (("x-amz-acl", "private"), ("x-amz-acl", "bucket-owner-full-control"),
                        ("x-amz-storage-class", "STANDARD"), ("x-amz-expected-bucket-owner", "000000000000"),
                        ("x-amz-request-payer", "requester"), ("x-amz-meta-s3cmd-attrs", "uid:0/gname:root"),
                        ("x-amz-meta-mtime", "1700000000.123"), ("Cache-Control", "max-age=1"),
                        ("x-amz-user-agent", "x/1"), ("amz-sdk-invocation-id", "1"), ("amz-sdk-request", "attempt=1")):
        got = raw.request("PUT", f"/{bucket}/k", headers=[(name, value)], body=b"x")
        assert got.status == 200, (name, got)
        got = raw.request("POST", f"/{bucket}/k", "uploads=", headers=[(name, value)])
        assert got.status == 200, (name, got)


def test_making_a_bucket_that_is_mine(raw, bucket):
    """rclone and restic make the bucket each time and take this answer for a yes."""
    got = raw.request("PUT", f"/{bucket}")
    assert (got.status, got.code) in ((200, None), (409, "BucketAlreadyOwnedByYou")), got


def test_the_first_write_of_veeam(raw, s3, bucket):
    """Puts, reads back, deletes by version, with a Content-MD5 and a SHA-256 that is not that of the body."""
    got = raw.request("PUT", f"/{bucket}/Veeam/probe", headers=[("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")],
                      body=b"hello", payload=sigv4.UNSIGNED)
    assert got.status == 200, got
    assert read(s3, bucket, "Veeam/probe") == b"hello"
    assert raw.request("DELETE", f"/{bucket}/Veeam/probe", "versionId=null").status == 204


def test_an_upload_as_s3a_makes_it(raw, s3, bucket):
    """Begun, listed by prefix, and aborted twice."""
    upload = Upload(s3, bucket, "user/x/file")
    got = raw.request("GET", f"/{bucket}", "uploads&prefix=user%2Fx%2F")
    assert got.texts("Upload/UploadId") == [upload.id]
    path, query = upload.target()
    assert raw.request("DELETE", path, query, payload=EMPTY).status == 204
    assert raw.request("DELETE", path, query).status == 404
