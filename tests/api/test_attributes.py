"""GetObjectAttributes: what is known of an object, and of its parts."""
import pytest

from uploads import (KINDS, PART, Upload, body_of, checksum, checksum_of_parts, etag_of_parts, make, md5)

ALL = ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"]
BODIES = [body_of(PART, 1), body_of(PART, 2), body_of(99, 3)]


def attributes(s3, bucket, key="k", names=ALL, **options):
    answer = s3.get_object_attributes(Bucket=bucket, Key=key, ObjectAttributes=names, **options)
    return {name: answer[name] for name in ALL if name in answer}


@pytest.mark.parametrize("size", [0, 5, 300_000])
def test_an_ordinary_object(s3, bucket, size):
    body = body_of(size)
    s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm="SHA256")
    assert attributes(s3, bucket) == {
        "ETag": md5(body).strip('"'), "StorageClass": "STANDARD", "ObjectSize": size,
        "Checksum": {"ChecksumSHA256": checksum("SHA256", body), "ChecksumType": "FULL_OBJECT"}}


@pytest.mark.parametrize("name", ALL)
def test_each_by_itself(s3, bucket, name):
    make(s3, bucket, "k", BODIES)
    assert list(attributes(s3, bucket, names=[name])) == [name]


@pytest.mark.parametrize("name, kind", KINDS)
def test_an_object_of_parts(s3, bucket, name, kind):
    make(s3, bucket, "k", BODIES, ChecksumAlgorithm=name, ChecksumType=kind)
    found = attributes(s3, bucket)
    assert found["ETag"] == etag_of_parts(BODIES).strip('"')
    assert found["ObjectSize"] == sum(map(len, BODIES))
    assert found["Checksum"] == {f"Checksum{name}": checksum_of_parts(name, kind, BODIES), "ChecksumType": kind}
    assert found["ObjectParts"]["TotalPartsCount"] == 3
    assert found["ObjectParts"]["Parts"] == [
        {"PartNumber": number, "Size": len(body), f"Checksum{name}": checksum(name, body)}
        for number, body in enumerate(BODIES, 1)]


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_pages_of_parts(s3, bucket, size):
    upload = Upload(s3, bucket)
    for number, body in zip((2, 700, 10_000), BODIES):
        upload.put(number, body)
    upload.complete()
    found, marker = [], 0
    while True:
        page = attributes(s3, bucket, names=["ObjectParts"], MaxParts=size, PartNumberMarker=marker)["ObjectParts"]
        assert (page["MaxParts"], page["PartNumberMarker"], page["TotalPartsCount"]) == (size, marker, 3)
        assert len(page["Parts"]) <= size
        found += [part["PartNumber"] for part in page["Parts"]]
        if not page["IsTruncated"]:
            break
        marker = page["NextPartNumberMarker"]
    assert found == [2, 700, 10_000]
    assert "Parts" not in attributes(s3, bucket, MaxParts=0)["ObjectParts"]
    assert "Parts" not in attributes(s3, bucket, PartNumberMarker=10_000)["ObjectParts"]


def test_names_in_one_field_or_in_many(raw, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    for headers in ([("x-amz-object-attributes", "ETag,ObjectSize")],
                    [("x-amz-object-attributes", " ETag , ObjectSize")],
                    [("x-amz-object-attributes", "ObjectSize"), ("x-amz-object-attributes", "ETag")]):
        answer = raw.request("GET", f"/{bucket}/k", "attributes", headers=headers)
        assert (answer.status, answer.texts("ETag"), answer.texts("ObjectSize")) == \
            (200, ["5d41402abc4b2a76b9719d911017c592"], ["5"]), answer
        assert answer.headers["last-modified"]


@pytest.mark.parametrize("headers, code", [
    ([], "InvalidRequest"), ([("x-amz-object-attributes", "")], "InvalidRequest"),
    ([("x-amz-object-attributes", "Color")], "InvalidArgument"),
    ([("x-amz-object-attributes", "ETag,Color")], "InvalidArgument"),
    ([("x-amz-object-attributes", "etag")], "InvalidArgument"),
    ([("x-amz-object-attributes", "ETag"), ("x-amz-max-parts", "-1")], "InvalidArgument"),
    ([("x-amz-object-attributes", "ETag"), ("x-amz-max-parts", "x")], "InvalidArgument"),
    ([("x-amz-object-attributes", "ETag"), ("x-amz-part-number-marker", "x")], "InvalidArgument"),
    ([("x-amz-object-attributes", "ETag"), ("x-amz-part-number-marker", "99999999999999999999")],
     "InvalidArgument")], ids=str)
def test_what_is_refused(raw, s3, bucket, headers, code):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    answer = raw.request("GET", f"/{bucket}/k", "attributes", headers=headers)
    assert (answer.status, answer.code) == (400, code), answer


def test_versions(s3, bucket, refused):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = [s3.put_object(Bucket=bucket, Key="k", Body=body)["VersionId"] for body in (b"1", b"22")]
    for version, size in zip(versions, (1, 2)):
        answer = s3.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ObjectSize"], VersionId=version)
        assert (answer["ObjectSize"], answer["VersionId"]) == (size, version)
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with refused("NoSuchKey", 404) as refusal:
        attributes(s3, bucket)
    assert refusal.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with refused("MethodNotAllowed", 405):
        attributes(s3, bucket, VersionId=marker)
    assert attributes(s3, bucket, VersionId=versions[0])["ObjectSize"] == 1


def test_what_is_not_there(box, s3, bucket, refused):
    with refused("NoSuchKey", 404):
        attributes(s3, bucket)
    with refused("NoSuchBucket", 404):
        attributes(s3, "not-there")
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    with refused("AccessDenied", 403):
        attributes(box.s3("stranger"), bucket)


def test_of_a_copy(s3, bucket):
    """A copy of parts still has them."""
    make(s3, bucket, "source", BODIES)
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source")
    s3.delete_object(Bucket=bucket, Key="source")
    parts = attributes(s3, bucket, "copy")["ObjectParts"]
    assert [part["Size"] for part in parts["Parts"]] == list(map(len, BODIES))
