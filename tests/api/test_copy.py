"""CopyObject, and UploadPartCopy where it is the same: sources, directives, conditions, owners
(s3.md 16; ACC-37). Ranges and the sharing of bodies stand in test_copy_body.py."""
import urllib.parse

import pytest

from uploads import (KINDS, MIB, PART, Upload, body_of, checksum, checksum_of_parts,
                     make, md5, read)

OTHER = '"00000000000000000000000000000000"'
PAST, FUTURE = "Thu, 01 Jan 1998 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"
SIZES = [0, 5, 65_536, 65_537, 3 * MIB + 1]
CARRIED = {"ContentType": "text/plain", "CacheControl": "no-cache", "ContentLanguage": "de",
           "ContentDisposition": "attachment", "ContentEncoding": "gzip", "Metadata": {"color": "blue"}}


@pytest.fixture
def source(s3, bucket):
    """A small object with everything that it may carry; where it is."""
    s3.put_object(Bucket=bucket, Key="source", Body=b"hello", Tagging="a=1", **CARRIED)
    return {"Bucket": bucket, "Key": "source"}


def copy(s3, source, key="copy", **options):
    return s3.copy_object(Bucket=options.pop("Bucket", source["Bucket"]), Key=key, CopySource=source, **options)


def carried(s3, bucket, key):
    head = s3.head_object(Bucket=bucket, Key=key)
    return {name: head[name] for name in CARRIED if name in head}


def tags(s3, bucket, key):
    return {tag["Key"]: tag["Value"] for tag in s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]}


@pytest.mark.parametrize("size", SIZES)
def test_sizes(s3, bucket, size):
    body = body_of(size)
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    result = copy(s3, {"Bucket": bucket, "Key": "source"})["CopyObjectResult"]
    assert result["ETag"] == md5(body) and result["LastModified"]
    assert read(s3, bucket, "copy") == body
    s3.delete_object(Bucket=bucket, Key="source")
    assert read(s3, bucket, "copy") == body
    copy(s3, {"Bucket": bucket, "Key": "copy"}, "copy2")
    s3.put_object(Bucket=bucket, Key="copy", Body=b"other")
    assert read(s3, bucket, "copy2") == body


SOURCES = ["{b}/{k}", "/{b}/{k}"]


@pytest.mark.parametrize("form", SOURCES)
@pytest.mark.parametrize("key", ["k", "a/b//c", "a b+c", "100%", "ä/€", "?versionId=1", "..", "./x", "a?b", "k" * 1000])
def test_how_a_source_is_named(raw, s3, bucket, form, key):
    s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for text in {form.format(b=bucket, k=urllib.parse.quote(key)),
                 urllib.parse.quote(form.format(b=bucket, k=key), safe="")}:
        answer = raw.request("PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", text)])
        assert answer.status == 200, (text, answer)
        assert read(s3, bucket, "copy") == key.encode()


@pytest.mark.parametrize("text, status, code", [
    ("", 400, "InvalidArgument"), ("/", 400, "InvalidArgument"), ("{b}", 400, "InvalidArgument"),
    ("{b}/", 400, "InvalidArgument"), ("//{b}/source", 400, "InvalidArgument"), ("/{b}", 400, "InvalidArgument"),
    ("{b}/%zz", 400, "InvalidArgument"), ("{b}/%ff", 400, "InvalidArgument"), ("{b}/%00", 400, "InvalidArgument"),
    ("{b}/" + "k" * 1025, 400, "KeyTooLongError"), ("{b}/nothing", 404, "NoSuchKey"),
    ("not-there/source", 404, "NoSuchBucket"), ("../source", 404, "NoSuchBucket"),
    ("{b}/../source", 404, "NoSuchKey"), ("{b}/source?versionId=", 400, "InvalidArgument"),
    ("{b}/source?versionId=x", 400, "InvalidArgument"),
    ("arn:aws:s3:us-east-1:000000000000:accesspoint/x/object/y", 404, "NoSuchBucket")])
def test_sources_that_are_refused(raw, s3, source, text, status, code):
    """ACC-37; for a part too."""
    bucket = source["Bucket"]
    header = ("x-amz-copy-source", text.format(b=bucket))
    answer = raw.request("PUT", f"/{bucket}/copy", headers=[header])
    assert (answer.status, answer.code) == (status, code), answer
    path, query = Upload(s3, bucket, "copy").target(partNumber=1)
    answer = raw.request("PUT", path, query, headers=[header])
    assert (answer.status, answer.code) == (status, code), answer
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["source"]


def test_a_copy_with_a_body(raw, s3, source):
    """The body of a copy is nobody's."""
    bucket = source["Bucket"]
    answer = raw.request("PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", f"{bucket}/source")], body=b"x" * 99)
    assert answer.status in (200, 400), answer
    if answer.status == 200:
        assert read(s3, bucket, "copy") == b"hello"


def test_what_is_copied(s3, source):
    """S3-COPY-1"""
    bucket = source["Bucket"]
    before = s3.head_object(**source)["LastModified"]
    copy(s3, source)
    assert carried(s3, bucket, "copy") == CARRIED and tags(s3, bucket, "copy") == {"a": "1"}
    assert s3.head_object(Bucket=bucket, Key="copy")["LastModified"] >= before
    copy(s3, source, "copy2", ContentType="image/png", Metadata={"other": "1"}, MetadataDirective="COPY",
         Tagging="b=2", TaggingDirective="COPY")
    assert carried(s3, bucket, "copy2") == CARRIED and tags(s3, bucket, "copy2") == {"a": "1"}


def test_replaced(s3, source):
    bucket = source["Bucket"]
    copy(s3, source, ContentType="image/png", Metadata={"other": "1"}, MetadataDirective="REPLACE")
    assert carried(s3, bucket, "copy") == {"ContentType": "image/png", "Metadata": {"other": "1"}}
    assert tags(s3, bucket, "copy") == {"a": "1"}
    copy(s3, source, MetadataDirective="REPLACE", TaggingDirective="REPLACE", Tagging="b=2&c=")
    assert carried(s3, bucket, "copy") == {"ContentType": "binary/octet-stream", "Metadata": {}}
    assert tags(s3, bucket, "copy") == {"b": "2", "c": ""}
    copy(s3, source, TaggingDirective="REPLACE")
    assert tags(s3, bucket, "copy") == {} and carried(s3, bucket, "copy") == CARRIED


@pytest.mark.parametrize("name", ["x-amz-metadata-directive", "x-amz-tagging-directive"])
@pytest.mark.parametrize("value", ["replace", "MOVE", ""])
def test_bad_directives(raw, source, name, value):
    bucket = source["Bucket"]
    answer = raw.request("PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", f"{bucket}/source"), (name, value)])
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


@pytest.mark.parametrize("name, value", [
    ("x-amz-storage-class", "GLACIER"), ("x-amz-server-side-encryption", "AES512"),
    ("x-amz-copy-source-server-side-encryption-customer-algorithm", "AES256"), ("x-amz-acl", "public-read"),
    ("x-amz-object-lock-legal-hold", "ON"), ("x-amz-website-redirect-location", "/x")])
def test_headers_that_are_not_built(raw, s3, source, name, value):
    bucket = source["Bucket"]
    answer = raw.request("PUT", f"/{bucket}/copy", headers=[("x-amz-copy-source", f"{bucket}/source"), (name, value)])
    assert (answer.status, answer.code) == (501, "NotImplemented"), answer
    assert "copy" not in [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]


def test_onto_itself(s3, source, refused):
    bucket = source["Bucket"]
    for options in ({}, {"MetadataDirective": "COPY", "ContentType": "image/png"}, {"TaggingDirective": "COPY"}):
        with refused("InvalidRequest", 400):
            copy(s3, source, "source", **options)
    assert carried(s3, bucket, "source") == CARRIED
    copy(s3, source, "source", MetadataDirective="REPLACE", Metadata={"new": "1"}, ContentType="a/b")
    assert carried(s3, bucket, "source") == {"ContentType": "a/b", "Metadata": {"new": "1"}}
    assert read(s3, bucket, "source") == b"hello"
    copy(s3, source, "source", TaggingDirective="REPLACE", Tagging="z=9")
    assert tags(s3, bucket, "source") == {"z": "9"} and read(s3, bucket, "source") == b"hello"


def test_large_onto_itself_many_times(s3, bucket):
    body = body_of(MIB)
    s3.put_object(Bucket=bucket, Key="source", Body=body)
    for turn in range(5):
        copy(s3, {"Bucket": bucket, "Key": "source"}, "source", MetadataDirective="REPLACE", Metadata={"n": str(turn)})
        assert read(s3, bucket, "source") == body


@pytest.fixture
def versions(s3, bucket):
    """A bucket with versions; ids of b"one" and b"two"."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"one", b"two")]


def test_a_version(s3, bucket, versions):
    answer = copy(s3, {"Bucket": bucket, "Key": "k", "VersionId": versions[0]})
    assert answer["CopySourceVersionId"] == versions[0] and answer["VersionId"] not in versions
    assert read(s3, bucket, "copy") == b"one"
    answer = copy(s3, {"Bucket": bucket, "Key": "k"})
    assert answer["CopySourceVersionId"] == versions[1] and read(s3, bucket, "copy") == b"two"


def test_an_old_version_is_made_the_latest(s3, bucket, versions):
    """Copy onto itself, of a version: S3's way to restore."""
    answer = copy(s3, {"Bucket": bucket, "Key": "k", "VersionId": versions[0]}, "k")
    assert read(s3, bucket, "k") == b"one" and answer["VersionId"] not in versions
    assert read(s3, bucket, "k", VersionId=versions[1]) == b"two"
    s3.delete_object(Bucket=bucket, Key="k", VersionId=versions[0])
    assert read(s3, bucket, "k") == b"one"


def test_a_delete_marker_is_no_source(s3, bucket, versions, refused):
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    upload = Upload(s3, bucket, "copy")
    for call in (lambda source: copy(s3, source), lambda source: upload.copy(1, source)):
        with refused("NoSuchKey", 404):
            call({"Bucket": bucket, "Key": "k"})
        with refused("InvalidRequest", 400):
            call({"Bucket": bucket, "Key": "k", "VersionId": marker})
        with refused("NoSuchVersion", 404):
            call({"Bucket": bucket, "Key": "nothing", "VersionId": versions[0]})
        call({"Bucket": bucket, "Key": "k", "VersionId": versions[0]})
    assert read(s3, bucket, "copy") == b"one"


CONDITIONS = [
    ({"CopySourceIfMatch": "TAG"}, True), ({"CopySourceIfMatch": OTHER}, False),
    ({"CopySourceIfNoneMatch": OTHER}, True), ({"CopySourceIfNoneMatch": "TAG"}, False),
    ({"CopySourceIfModifiedSince": PAST}, True), ({"CopySourceIfModifiedSince": "now"}, False),
    ({"CopySourceIfUnmodifiedSince": FUTURE}, True), ({"CopySourceIfUnmodifiedSince": PAST}, False),
    # The pairs that S3 documents: the tag wins.
    ({"CopySourceIfMatch": "TAG", "CopySourceIfUnmodifiedSince": PAST}, True),
    ({"CopySourceIfNoneMatch": "TAG", "CopySourceIfModifiedSince": PAST}, False)]


@pytest.mark.parametrize("conditions, holds", CONDITIONS, ids=str)
def test_conditions_on_the_source(s3, source, refused, conditions, holds):
    bucket, head = source["Bucket"], s3.head_object(**source)
    real = {"TAG": head["ETag"], "now": head["LastModified"]}
    conditions = {name: real.get(value, value) for name, value in conditions.items()}
    upload = Upload(s3, bucket, "part")
    for call in (lambda: copy(s3, source, **conditions), lambda: upload.copy(1, source, **conditions)):
        if holds:
            call()
        else:
            with refused("PreconditionFailed", 412):
                call()
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert ("copy" in keys) == holds and upload.numbers() == ([1] if holds else [])


def test_conditions_on_the_target(s3, source, refused):
    bucket = source["Bucket"]
    with refused("NoSuchKey", 404):
        copy(s3, source, IfMatch=OTHER)
    copy(s3, source, IfNoneMatch="*")
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": OTHER}):
        with refused("PreconditionFailed", 412):
            copy(s3, source, **condition)
    s3.put_object(Bucket=bucket, Key="copy", Body=b"x")
    copy(s3, source, IfMatch=md5(b"x"))
    assert read(s3, bucket, "copy") == b"hello"


@pytest.mark.parametrize("size", [5, MIB])
def test_between_buckets(s3, bucket, size):
    """The copy lives on when the source's bucket is gone."""
    other, body = bucket + "-other", body_of(size)
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=other, Key="k", Body=body)
    copy(s3, {"Bucket": other, "Key": "k"}, "k", Bucket=bucket)
    s3.delete_object(Bucket=other, Key="k")
    s3.delete_bucket(Bucket=other)
    assert read(s3, bucket, "k") == body


def test_buckets_of_others(box, s3, source, refused):
    """ACC-37, S3-OWNER-1, S3-COPY-1: neither from nor to."""
    bucket, stranger = source["Bucket"], box.s3("stranger")
    stranger.create_bucket(Bucket=bucket + "-theirs")
    stranger.put_object(Bucket=bucket + "-theirs", Key="k", Body=b"theirs")
    theirs = {"Bucket": bucket + "-theirs", "Key": "k"}
    mine, upload = Upload(s3, bucket, "copy"), Upload(stranger, bucket + "-theirs", "copy")
    for call in (lambda: copy(s3, theirs, Bucket=bucket), lambda: copy(s3, source, Bucket=theirs["Bucket"]),
                 lambda: copy(stranger, source, Bucket=theirs["Bucket"]), lambda: mine.copy(1, theirs),
                 lambda: upload.copy(1, source),
                 lambda: copy(s3, {**theirs, "Key": "nothing"}, Bucket=bucket)):
        with refused("AccessDenied", 403):
            call()
    assert mine.numbers() == upload.numbers() == []


def test_expected_owners(s3, source, refused):
    for name in ("ExpectedBucketOwner", "ExpectedSourceBucketOwner"):
        with refused("AccessDenied", 403):
            copy(s3, source, **{name: "111111111111"})
        copy(s3, source, **{name: "000000000000"})


@pytest.mark.parametrize("name", [name for name, _ in KINDS])
@pytest.mark.parametrize("size", [5, 300_000])
def test_checksums(s3, bucket, name, size):
    """Kept, or computed where another is asked for."""
    body = body_of(size)
    source = {"Bucket": bucket, "Key": "source"}
    s3.put_object(**source, Body=body, ChecksumAlgorithm="SHA1")
    assert copy(s3, source)["CopyObjectResult"]["ChecksumSHA1"] == checksum("SHA1", body)
    result = copy(s3, source, ChecksumAlgorithm=name)["CopyObjectResult"]
    assert (result[f"Checksum{name}"], result["ChecksumType"]) == (checksum(name, body), "FULL_OBJECT")
    head = s3.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")
    assert head[f"Checksum{name}"] == checksum(name, body)
    assert read(s3, bucket, "copy", ChecksumMode="ENABLED") == body


BODIES = [body_of(PART, 11), body_of(PART + 1, 12), body_of(PART, 13), body_of(PART, 14)]
WHOLE = b"".join(BODIES)


@pytest.mark.parametrize("name, kind", KINDS)
def test_checksums_of_parts(s3, bucket, name, kind):
    """A copy of an object of parts has its checksum; another kind is that of all bytes."""
    make(s3, bucket, "source", BODIES[:2], ChecksumAlgorithm=name, ChecksumType=kind)
    source = {"Bucket": bucket, "Key": "source"}
    result = copy(s3, source)["CopyObjectResult"]
    assert (result[f"Checksum{name}"], result["ChecksumType"]) == (checksum_of_parts(name, kind, BODIES[:2]), kind)
    other = "SHA256" if name != "SHA256" else "CRC32"
    result = copy(s3, source, ChecksumAlgorithm=other)["CopyObjectResult"]
    assert (result[f"Checksum{other}"], result["ChecksumType"]) == (checksum(other, BODIES[0] + BODIES[1]), "FULL_OBJECT")
