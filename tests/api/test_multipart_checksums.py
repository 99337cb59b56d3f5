"""Checksums of multipart objects: every kind and type, told and checked at each step (s3.md 5 to 7).

The types: COMPOSITE is the digest of the parts' digests with the number of parts behind it,
FULL_OBJECT the CRC of all bytes.
"""
import pytest

import checksums
import raw as raw_module
import sigv4
from uploads import (COMPOSITE, FULL, KINDS, PART, TYPES, Upload, body_of, checksum,
                     checksum_of_parts, complete_xml, etag_of_parts, make, read)

BODIES = [body_of(PART, 5), body_of(PART + 3, 6), body_of(7777, 7)]
OTHERS = {"CRC32": "SHA1", "CRC32C": "CRC32", "CRC64NVME": "CRC32C", "SHA1": "SHA256", "SHA256": "CRC32"}


def start(s3, bucket, name, kind=None, key="k"):
    options = {"ChecksumType": kind} if kind else {}
    return Upload(s3, bucket, key, ChecksumAlgorithm=name, **options)


def with_checksums(upload, name, bodies):
    """The upload's parts with their checksums, as Complete may name them."""
    return [{**upload.parts[number], f"Checksum{name}": checksum(name, body)}
            for number, body in enumerate(bodies, 1)]


def test_the_fast_digests():
    for name in checksums.NAMES:
        assert checksum(name, b"123456789" * 9) == checksums.checksum(name, b"123456789" * 9)


@pytest.mark.parametrize("name, kind", KINDS)
def test_all_the_way(s3, bucket, name, kind):
    """S3-PART-3, S3-GET-4"""
    upload = start(s3, bucket, name, kind)
    assert (upload.created["ChecksumAlgorithm"], upload.created["ChecksumType"]) == (name, kind)
    for number, body in enumerate(BODIES, 1):
        assert upload.put(number, body, ChecksumAlgorithm=name)[f"Checksum{name}"] == checksum(name, body)
    listed = upload.list()
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == (name, kind)
    assert [part[f"Checksum{name}"] for part in listed["Parts"]] == [checksum(name, body) for body in BODIES]
    entry, = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == (name, kind)
    value = checksum_of_parts(name, kind, BODIES)
    done = upload.complete(with_checksums(upload, name, BODIES),
                           **{f"Checksum{name}": value, "ChecksumType": kind})
    assert (done[f"Checksum{name}"], done["ChecksumType"]) == (value, kind)
    assert done["ETag"] == etag_of_parts(BODIES)
    for call in (s3.head_object, s3.get_object):
        answer = call(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
        assert (answer[f"Checksum{name}"], answer["ChecksumType"]) == (value, kind)
        ranged = call(Bucket=bucket, Key="k", ChecksumMode="ENABLED", Range="bytes=0-9")
        assert not [field for field in ranged if field.startswith("Checksum")]
    assert read(s3, bucket, ChecksumMode="ENABLED") == b"".join(BODIES)
    entry, = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert (entry["ChecksumAlgorithm"], entry["ChecksumType"]) == ([name], kind)


@pytest.mark.parametrize("name, kind", KINDS)
def test_one_part_by_number(s3, bucket, name, kind):
    upload = start(s3, bucket, name, kind)
    for number, body in enumerate(BODIES, 1):
        upload.put(number, body)
    upload.complete()
    for number, body in enumerate(BODIES, 1):
        got = s3.get_object(Bucket=bucket, Key="k", PartNumber=number, ChecksumMode="ENABLED")
        assert got["Body"].read() == body and got[f"Checksum{name}"] == checksum(name, body)


@pytest.mark.parametrize("name", TYPES)
def test_the_type_that_nobody_names(s3, bucket, name):
    """As boto3's transfer manager: an algorithm, no type, and nothing in Complete."""
    upload = start(s3, bucket, name)
    for number, body in enumerate(BODIES, 1):
        upload.put(number, body, ChecksumAlgorithm=name)
    done = upload.complete()
    assert done["ChecksumType"] == TYPES[name][0]
    assert done[f"Checksum{name}"] == checksum_of_parts(name, TYPES[name][0], BODIES)


def test_no_algorithm_at_all(s3, raw, bucket):
    """CRC64NVME is computed and kept, whatever the parts came with."""
    path = f"/{bucket}/k"
    answer = raw.request("POST", path, "uploads")
    upload_id, = answer.texts("UploadId")
    assert not [name for name in answer.headers if name.startswith("x-amz-checksum")]
    etags = []
    for number, body in enumerate(BODIES, 1):
        headers = [(checksums.header("SHA1"), checksum("SHA1", body))] if number == 2 else []
        answer = raw.request("PUT", path, f"partNumber={number}&uploadId={upload_id}", headers, body)
        etags.append((number, answer.headers["etag"]))
    answer = raw.request("POST", path, f"uploadId={upload_id}", body=complete_xml(etags))
    value = checksum("CRC64NVME", b"".join(BODIES))
    assert (answer.texts("ChecksumCRC64NVME"), answer.texts("ChecksumType")) == ([value], [FULL])
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")["ChecksumCRC64NVME"] == value


@pytest.mark.parametrize("name, kind", [(name, kind) for name in TYPES for kind in (FULL, COMPOSITE)
                                        if kind not in TYPES[name]])
def test_pairs_that_do_not_exist(s3, bucket, refused, name, kind):
    with refused("InvalidRequest", 400):
        start(s3, bucket, name, kind)


@pytest.mark.parametrize("headers", [
    [("x-amz-checksum-type", FULL)], [("x-amz-checksum-algorithm", "CRC99")], [("x-amz-checksum-algorithm", "")],
    [("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "HALF_OBJECT")],
    [("x-amz-checksum-algorithm", "MD5")]], ids=str)
def test_what_create_refuses(raw, bucket, headers):
    answer = raw.request("POST", f"/{bucket}/k", "uploads", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer


@pytest.mark.parametrize("name", TYPES)
def test_a_part_that_is_wrong(s3, bucket, refused, name):
    upload = start(s3, bucket, name)
    with refused("BadDigest", 400):
        upload.put(1, b"hello", **{f"Checksum{name}": checksum(name, b"other")})
    with refused("InvalidRequest", 400):
        upload.put(1, b"hello", **{f"Checksum{name}": "nonsense"})
    assert upload.numbers() == []


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_a_part_of_another_kind(s3, bucket, refused, name):
    upload = start(s3, bucket, name)
    other = OTHERS[name]
    with refused("InvalidRequest", 400) as refusal:
        upload.put(1, b"hello", **{f"Checksum{other}": checksum(other, b"hello")})
    assert other in refusal.response["Error"]["Message"] and name in refusal.response["Error"]["Message"]
    assert upload.numbers() == []


@pytest.mark.parametrize("name, kind", KINDS)
def test_complete_that_is_wrong(s3, bucket, refused, name, kind):
    """Refused, and the upload stays to be completed rightly."""
    upload = start(s3, bucket, name, kind)
    for number, body in enumerate(BODIES, 1):
        upload.put(number, body)
    parts = with_checksums(upload, name, BODIES)
    value, wrong = checksum_of_parts(name, kind, BODIES), checksum_of_parts(name, kind, BODIES[:2] + [b"x"])
    other = OTHERS[name]
    refusals = [("BadDigest", {f"Checksum{name}": wrong}), ("InvalidRequest", {f"Checksum{name}": "AAAA"}),
                ("InvalidRequest", {f"Checksum{name}": ""}),
                ("BadDigest", {f"Checksum{other}": checksum(other, b"".join(BODIES))}),
                ("InvalidRequest", {"ChecksumType": COMPOSITE if kind == FULL else FULL})]
    if kind == COMPOSITE:
        refusals.append(("InvalidRequest", {f"Checksum{name}": value[:-1] + "4"}))
    for code, options in refusals:
        with refused(code, 400):
            upload.complete(**options)
    with refused("InvalidPart", 400):
        upload.complete([{**parts[0], f"Checksum{name}": checksum(name, b"x")}, *parts[1:]])
    with refused("InvalidPart", 400):
        upload.complete([{**parts[0], f"Checksum{name}": "nonsense"}, *parts[1:]])
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert upload.complete(parts, **{f"Checksum{name}": value})[f"Checksum{name}"] == value


@pytest.mark.parametrize("name, kind", KINDS)
def test_complete_again_with_its_checksum(s3, bucket, name, kind):
    upload = start(s3, bucket, name, kind)
    upload.put(1, b"hello")
    options = {f"Checksum{name}": checksum_of_parts(name, kind, [b"hello"]), "ChecksumType": kind,
               "MpuObjectSize": 5}
    parts = with_checksums(upload, name, [b"hello"])
    first, again = upload.complete(parts, **options), upload.complete(parts, **options)
    assert first[f"Checksum{name}"] == again[f"Checksum{name}"]


def test_the_digest_of_the_document(raw, s3, bucket):
    """Content-MD5 of Complete is about the document."""
    upload = Upload(s3, bucket)
    etag = upload.put(1, b"hello")["ETag"]
    path, query = upload.target()
    for md5, code in (("1B2M2Y8AsgTpgAmY7PhCfg==", "BadDigest"), ("x", "InvalidDigest")):
        answer = raw.request("POST", path, query, [("Content-MD5", md5)], complete_xml([(1, etag)]))
        assert (answer.status, answer.code) == (400, code), answer
    assert upload.complete()["ETag"] == etag_of_parts([b"hello"])


@pytest.mark.parametrize("name", TYPES)
def test_parts_with_trailers(raw, s3, bucket, name):
    """As SDKs send over https: the checksum behind an aws-chunked body."""
    upload = start(s3, bucket, name)
    path, query = upload.target(partNumber=1)
    body = body_of(150_000, 8)

    def send(value):
        chunked = sigv4.chunked_body(None, None, [body[:65_536], body[65_536:]], signed=False,
                                     trailer=[(checksums.header(name), value)])
        return raw.request("PUT", path, query, body=chunked, payload=sigv4.UNSIGNED_TRAILER, headers=[
            ("Content-Encoding", "aws-chunked"), ("x-amz-decoded-content-length", str(len(body))),
            ("x-amz-trailer", checksums.header(name))])

    answer = send(checksum(name, b"other"))
    assert (answer.status, answer.code) == (400, "BadDigest"), answer
    assert upload.numbers() == []
    answer = send(checksum(name, body))
    assert answer.status == 200 and answer.headers[checksums.header(name)] == checksum(name, body)
    upload.complete([{"PartNumber": 1, "ETag": answer.headers["etag"], f"Checksum{name}": checksum(name, body)}])
    assert read(s3, bucket) == body


def test_a_part_refused_at_the_head(box, raw, s3, bucket):
    """A checksum of the wrong kind is told before the body is asked for."""
    upload = start(s3, bucket, "SHA256")
    path, query = upload.target(partNumber=1)
    headers = raw.signed("PUT", path, query, [
        ("Content-Length", "100000"), ("Expect", "100-continue"),
        (checksums.header("CRC32"), checksum("CRC32", b"x"))], payload=sigv4.UNSIGNED)
    statuses, _, answer = raw_module.exchange(box, raw_module.head_text("PUT", f"{path}?{query}", headers), 2)
    assert statuses == [400] and b"InvalidRequest" in answer


@pytest.mark.parametrize("name, kind", KINDS)
def test_a_copied_part(s3, bucket, name, kind):
    """UploadPartCopy computes the upload's checksum of what it copies."""
    make(s3, bucket, "source", BODIES)
    whole = b"".join(BODIES)
    upload = start(s3, bucket, name, kind, "copy")
    answer = upload.copy(1, {"Bucket": bucket, "Key": "source"}, CopySourceRange=f"bytes=10-{PART + 99}")
    copied = whole[10:PART + 100]
    assert answer["CopyPartResult"][f"Checksum{name}"] == checksum(name, copied)
    upload.put(2, BODIES[2])
    done = upload.complete()
    assert done[f"Checksum{name}"] == checksum_of_parts(name, kind, [copied, BODIES[2]])
    assert read(s3, bucket, "copy", ChecksumMode="ENABLED") == copied + BODIES[2]
