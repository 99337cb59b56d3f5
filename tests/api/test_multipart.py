"""Multipart uploads: parts in any order, replaced, refused, listed, completed, aborted
(s3.md 6, 7, 14, 15; ACC-39, ACC-44). Checksums, lists and reads by part have files of their own."""
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

import raw as raw_module
import sigv4
from uploads import (MIB, PART, Upload, body_of, complete_xml, etag_of_parts, make, md5, read,
                     uploads_in)

BODIES = [body_of(PART, 1), body_of(PART, 2), body_of(PART + 1, 3), body_of(1234, 4)]
WHOLE = b"".join(BODIES)


@pytest.fixture
def two_parts(s3, bucket):
    """An upload with parts 1 and 2 in place."""
    upload = Upload(s3, bucket)
    for number in (1, 2):
        upload.put(number, BODIES[number - 1])
    return upload


def test_out_of_order_and_in_parallel(s3, bucket):
    """S3-PART-1"""
    upload = Upload(s3, bucket, "a/b c+d")
    order = list(enumerate(BODIES, 1))
    random.Random(1).shuffle(order)
    with ThreadPoolExecutor(4) as pool:
        answers = dict(zip([number for number, _ in order],
                           pool.map(lambda part: upload.put(*part), order)))
    assert [answers[number]["ETag"] for number in sorted(answers)] == [md5(body) for body in BODIES]
    listed = upload.list()
    assert [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed["Parts"]] == \
        [(number, len(body), md5(body)) for number, body in enumerate(BODIES, 1)]
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    done = upload.complete()
    assert done["ETag"] == etag_of_parts(BODIES)
    assert (done["Bucket"], done["Key"]) == (bucket, "a/b c+d")
    assert done["Location"].endswith(f"/{bucket}/a/b%20c%2Bd")
    assert read(s3, bucket, "a/b c+d") == WHOLE
    entry, = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert (entry["Size"], entry["ETag"]) == (len(WHOLE), done["ETag"])
    assert uploads_in(s3, bucket) == []


def test_numbers_with_gaps(s3, bucket, refused):
    """A part keeps the number that it was put with."""
    upload = Upload(s3, bucket)
    for number, body in ((10_000, BODIES[3]), (1, BODIES[0]), (777, BODIES[1])):
        upload.put(number, body)
    assert upload.complete()["ETag"] == etag_of_parts([BODIES[0], BODIES[1], BODIES[3]])
    assert read(s3, bucket) == BODIES[0] + BODIES[1] + BODIES[3]
    second = s3.get_object(Bucket=bucket, Key="k", PartNumber=777)
    assert second["Body"].read() == BODIES[1] and second["PartsCount"] == 3
    with refused("InvalidPartNumber", 416):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=2)


@pytest.mark.parametrize("number", ["0", "10001", "-1", "x", "", "1.0", "18446744073709551617"])
def test_bad_numbers(raw, s3, bucket, number):
    upload = Upload(s3, bucket)
    path, query = upload.target(partNumber=number)
    answer = raw.request("PUT", path, query, body=b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert upload.numbers() == []


def test_no_number(raw, s3, bucket):
    path, query = Upload(s3, bucket).target()
    answer = raw.request("PUT", path, query, body=b"x")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_a_replaced_part(s3, two_parts, bucket, refused):
    old = dict(two_parts.parts[1])
    two_parts.put(1, BODIES[2])
    with refused("InvalidPart", 400):
        two_parts.complete([old, two_parts.parts[2]])
    assert [part["Size"] for part in two_parts.list()["Parts"]] == [PART + 1, PART]
    two_parts.complete()
    assert read(s3, bucket) == BODIES[2] + BODIES[1]


def test_a_part_replaced_by_many_at_once(s3, bucket):
    upload = Upload(s3, bucket)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda seed: upload.s3.upload_part(**upload.place, PartNumber=1,
                                                         Body=body_of(200_000, seed)), range(16)))
    part, = upload.list()["Parts"]
    upload.complete([{"PartNumber": 1, "ETag": part["ETag"]}])
    assert part["ETag"] == md5(read(s3, bucket))


def test_parts_that_are_not_named_go(s3, two_parts, bucket):
    two_parts.put(3, BODIES[3])
    two_parts.complete([two_parts.parts[2], two_parts.parts[3]])
    assert read(s3, bucket) == BODIES[1] + BODIES[3]
    assert s3.head_object(Bucket=bucket, Key="k", PartNumber=2)["PartsCount"] == 2


def test_empty_parts(s3, bucket):
    upload = Upload(s3, bucket, "empty")
    upload.put(1, b"")
    assert upload.complete()["ETag"] == etag_of_parts([b""])
    assert s3.head_object(Bucket=bucket, Key="empty")["ContentLength"] == 0
    assert read(s3, bucket, "empty") == b""
    upload = Upload(s3, bucket, "tail")
    upload.put(1, BODIES[0])
    upload.put(2, b"")
    upload.complete()
    assert read(s3, bucket, "tail") == BODIES[0]
    assert s3.get_object(Bucket=bucket, Key="tail", PartNumber=2)["ContentLength"] == 0


BAD_LISTS = [
    ("InvalidPart", lambda parts: [parts[1], {**parts[2], "PartNumber": 4}]),
    ("InvalidPart", lambda parts: [{**parts[1], "ETag": parts[2]["ETag"]}, parts[2]]),
    ("InvalidPart", lambda parts: [{**parts[1], "ETag": '"nonsense"'}]),
    ("InvalidPart", lambda parts: [{**parts[1], "ETag": parts[1]["ETag"][:-1] + '-2"'}]),
    ("InvalidPart", lambda parts: [{**parts[1], "PartNumber": 0}]),
    ("InvalidPart", lambda parts: [{**parts[1], "PartNumber": 10_001}]),
    ("InvalidPartOrder", lambda parts: [parts[2], parts[1]]),
    ("InvalidPartOrder", lambda parts: [parts[1], parts[1]]),
    ("InvalidPartOrder", lambda parts: [parts[1], parts[2], parts[2]]),
]


@pytest.mark.parametrize("code, choose", BAD_LISTS, ids=range(len(BAD_LISTS)))
def test_lists_that_are_refused(s3, two_parts, bucket, refused, code, choose):
    """ACC-39, S3-PART-1. After a refusal the upload is as it was."""
    before = two_parts.list()["Parts"]
    with refused(code, 400):
        two_parts.complete(choose(two_parts.parts))
    assert two_parts.list()["Parts"] == before
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    two_parts.complete()
    assert read(s3, bucket) == BODIES[0] + BODIES[1]


def test_a_part_in_the_middle_that_is_too_small(s3, bucket, refused):
    upload = Upload(s3, bucket)
    for number, body in ((1, BODIES[0][:-1]), (2, b"tail")):
        upload.put(number, body)
    with refused("EntityTooSmall", 400):
        upload.complete()
    upload.complete([upload.parts[1]])
    assert read(s3, bucket) == BODIES[0][:-1]


@pytest.mark.parametrize("body, code", [
    (b"", "MalformedXML"), (b"nonsense", "MalformedXML"), (b"<CompleteMultipartUpload/>", "MalformedXML"),
    (b"<Delete><Part/></Delete>", "MalformedXML"), (b"<CompleteMultipartUpload><Part></Part>", "MalformedXML"),
    (complete_xml([("x", "y")]), "MalformedXML"), (complete_xml([(-1, "y")]), "MalformedXML"),
    (b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
     "MalformedXML"),
    (complete_xml([(number, "0" * 32) for number in range(1, 10_002)]), "MalformedXML"),
    (complete_xml([(number, "0" * 32) for number in range(1, 10_001)]), "InvalidPart"),
], ids=lambda value: str(value)[:50])
def test_documents_that_are_refused(raw, s3, bucket, body, code):
    """ACC-39: 10,001 parts are too many; 10,000 are read, and then they are not there."""
    upload = Upload(s3, bucket)
    upload.put(1, b"x")
    path, query = upload.target()
    answer = raw.request("POST", path, query, body=body)
    assert (answer.status, answer.code) == (400, code), answer
    assert upload.numbers() == [1]


def test_documents_as_clients_write_them(raw, s3, bucket):
    """With and without namespace, quotes, entities and white space."""
    for index, (form, namespace) in enumerate([("{}", True), ('"{}"', False), ("&quot;{}&quot;", True),
                                               (" {}\t", True), ("&#34;{}&#34;", False)]):
        upload = Upload(s3, bucket, f"k{index}")
        etag = upload.put(1, b"hello")["ETag"].strip('"')
        path, query = upload.target()
        body = complete_xml([(1, form.format(etag))], namespace)
        answer = raw.request("POST", path, query, body=b'<?xml version="1.0"?>\n' + body,
                             headers=[("Content-Type", "application/xml")])
        assert answer.status == 200, answer
        assert answer.texts("ETag") == [etag_of_parts([b"hello"])]
        assert read(s3, bucket, f"k{index}") == b"hello"


def every_call(upload, etag='"5d41402abc4b2a76b9719d911017c592"'):
    """The four calls on an upload, and the copy."""
    source = {"Bucket": upload.place["Bucket"], "Key": "source"}
    return [lambda: upload.put(1, b"hello"), lambda: upload.copy(1, source), lambda: upload.list(),
            lambda: upload.complete([{"PartNumber": 1, "ETag": etag}]), lambda: upload.abort()]


def test_uploads_that_are_not_there(s3, bucket, refused):
    s3.put_object(Bucket=bucket, Key="source", Body=b"hello")
    real = Upload(s3, bucket)
    for key, upload_id in (("k", "0" * 16), ("k", "x"), ("k", real.id + "0"), ("k", real.id.upper() + "x"),
                           ("k", "../../etc"), ("other", real.id), ("k" * 1024, real.id)):
        stranger = Upload(s3, bucket)
        stranger.place.update(Key=key, UploadId=upload_id)
        for call in every_call(stranger):
            with refused("NoSuchUpload", 404):
                call()
    s3.create_bucket(Bucket=bucket + "-other")
    real.place["Bucket"] = bucket + "-other"
    s3.put_object(Bucket=bucket + "-other", Key="source", Body=b"hello")
    for call in every_call(real):
        with refused("NoSuchUpload", 404):
            call()


def test_no_bucket(s3, bucket, refused):
    upload = Upload(s3, bucket)
    upload.place["Bucket"] = "not-there"
    for call in every_call(upload):
        with refused("NoSuchBucket", 404):
            call()
    for call in (s3.create_multipart_upload, s3.list_multipart_uploads):
        with refused("NoSuchBucket", 404):
            call(Bucket="not-there", **({"Key": "k"} if call == s3.create_multipart_upload else {}))


def test_an_empty_upload_id(raw, s3, bucket):
    for method in ("PUT", "GET", "POST", "DELETE"):
        body = complete_xml([(1, "0" * 32)]) if method == "POST" else b""
        answer = raw.request(method, f"/{bucket}/k", "partNumber=1&uploadId=", body=body)
        assert (answer.status, answer.code) == (404, "NoSuchUpload"), answer
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_abort(s3, two_parts, bucket, refused):
    answer = two_parts.abort()
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    s3.put_object(Bucket=bucket, Key="source", Body=b"hello")
    for call in every_call(two_parts):
        with refused("NoSuchUpload", 404):
            call()
    assert uploads_in(s3, bucket) == []


def test_abort_while_a_part_comes(box, raw, s3, bucket):
    """A part that ends after the abort is refused, and nothing of it stays."""
    upload = Upload(s3, bucket)
    path, query = upload.target(partNumber=1)
    headers = raw.signed("PUT", path, query, [("Content-Length", "200000")], b"", payload=sigv4.UNSIGNED)
    with raw_module.open_socket(box) as connection:
        connection.sendall(raw_module.head_text("PUT", f"{path}?{query}", headers) + b"x" * 100_000)
        upload.abort()
        connection.sendall(b"x" * 100_000)
        answer, _ = raw_module.read_all(connection, 2)
    assert b"NoSuchUpload" in answer, answer


def test_complete_again(s3, two_parts, bucket, refused):
    """S3-PART-2: who did not hear the answer asks again and gets it; once the key is another's, no more."""
    first, again = two_parts.complete(), two_parts.complete()
    assert again["ETag"] == first["ETag"] == s3.head_object(Bucket=bucket, Key="k")["ETag"]
    assert two_parts.complete(IfNoneMatch="*")["ETag"] == first["ETag"]
    for parts in ([two_parts.parts[1]], [{**two_parts.parts[1], "ETag": two_parts.parts[2]["ETag"]},
                                         two_parts.parts[2]]):
        with refused("NoSuchUpload", 404):
            two_parts.complete(parts)
    for call in every_call(two_parts)[2:3] + every_call(two_parts)[4:]:
        with refused("NoSuchUpload", 404):
            call()
    assert read(s3, bucket) == BODIES[0] + BODIES[1]
    s3.put_object(Bucket=bucket, Key="k", Body=b"new")
    with refused("NoSuchUpload", 404):
        two_parts.complete()
    assert read(s3, bucket) == b"new"


def test_complete_by_many_at_once(s3, two_parts, bucket):
    with ThreadPoolExecutor(8) as pool:
        etags = set(pool.map(lambda _: two_parts.complete()["ETag"], range(8)))
    assert etags == {etag_of_parts(BODIES[:2])}
    assert read(s3, bucket) == BODIES[0] + BODIES[1]


def test_two_uploads_of_a_key(s3, bucket):
    first, second = Upload(s3, bucket), Upload(s3, bucket)
    assert first.id != second.id
    first.put(1, b"first")
    second.put(1, b"second")
    assert uploads_in(s3, bucket) == [("k", first.id), ("k", second.id)]
    second.complete()
    assert read(s3, bucket) == b"second" and uploads_in(s3, bucket) == [("k", first.id)]
    first.complete()
    assert read(s3, bucket) == b"first"


def test_conditions(s3, bucket, refused):
    other = '"00000000000000000000000000000000"'
    upload = Upload(s3, bucket)
    upload.put(1, b"hello")
    with refused("NoSuchKey", 404):
        upload.complete(IfMatch=other)
    s3.put_object(Bucket=bucket, Key="k", Body=b"old")
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": other}):
        with refused("PreconditionFailed", 412):
            upload.complete(**condition)
    assert read(s3, bucket) == b"old" and upload.numbers() == [1]
    upload.complete(IfMatch=md5(b"old"))
    assert read(s3, bucket) == b"hello"
    upload = Upload(s3, bucket, "new")
    upload.put(1, b"hello")
    upload.complete(IfNoneMatch="*")
    assert read(s3, bucket, "new") == b"hello"


def test_one_of_many_conditional_completes_wins(s3, bucket):
    """S3-PUT-4"""
    uploads = [Upload(s3, bucket) for _ in range(8)]
    for index, upload in enumerate(uploads):
        upload.put(1, b"%d" % index)

    def complete(upload):
        try:
            upload.complete(IfNoneMatch="*")
            return 200
        except s3.exceptions.ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(complete, uploads))
    assert statuses.count(200) == 1 and set(statuses) <= {200, 409, 412}
    assert read(s3, bucket) == b"%d" % statuses.index(200)


def test_size_of_the_whole(s3, raw, two_parts, bucket):
    """x-amz-mp-object-size."""
    path, query = two_parts.target()
    body = complete_xml([(number, part["ETag"]) for number, part in two_parts.parts.items()])
    for size, code in ((2 * PART - 1, "InvalidRequest"), (0, "InvalidRequest"), ("x", "InvalidArgument"),
                       ("-1", "InvalidArgument"), (1 << 65, "InvalidArgument")):
        answer = raw.request("POST", path, query, headers=[("x-amz-mp-object-size", str(size))], body=body)
        assert (answer.status, answer.code) == (400, code), answer
    assert two_parts.complete(MpuObjectSize=2 * PART)["ETag"] == etag_of_parts(BODIES[:2])


def test_what_the_object_carries(s3, bucket):
    carried = {"ContentType": "text/plain", "CacheControl": "no-cache", "ContentLanguage": "de",
               "ContentDisposition": "attachment", "ContentEncoding": "gzip",
               "Metadata": {"Color": "blue", "x-y": "1 2"}}
    upload = Upload(s3, bucket, Tagging="a=1&b=x%20y", **carried)
    upload.put(1, b"hello")
    upload.complete()
    head = s3.head_object(Bucket=bucket, Key="k")
    assert {**carried, "Metadata": {"color": "blue", "x-y": "1 2"}} == {name: head[name] for name in carried}
    assert s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"] == \
        [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "x y"}]


@pytest.mark.parametrize("header, value, status, code", [
    ("x-amz-meta-a", "x" * 2048, 400, "MetadataTooLarge"), ("x-amz-tagging", "a=1&a=2", 400, "InvalidTag"),
    ("x-amz-storage-class", "GLACIER", 501, "NotImplemented"),
    ("x-amz-server-side-encryption", "aws:kms", 501, "NotImplemented"),
    ("x-amz-object-lock-mode", "GOVERNANCE", 501, "NotImplemented"),
    ("x-amz-acl", "public-read", 501, "NotImplemented"),
    ("x-amz-storage-class", "STANDARD", 200, None), ("x-amz-acl", "private", 200, None)])
def test_what_create_refuses(raw, s3, bucket, header, value, status, code):
    answer = raw.request("POST", f"/{bucket}/k", "uploads", headers=[(header, value)])
    assert (answer.status, answer.code) == (status, code), answer
    assert len(uploads_in(s3, bucket)) == (status == 200)


def test_keys_that_are_too_long(s3, bucket, refused):
    make(s3, bucket, "k" * 1024, [b"hello"])
    with refused("KeyTooLongError", 400):
        Upload(s3, bucket, "k" * 1025)


def test_declared_sizes(box, raw, s3, bucket):
    """ACC-44, S3-PUT-1: refused before a byte is read."""
    upload = Upload(s3, bucket)
    path, query = upload.target(partNumber=1)
    for length in (5 * 1024 ** 3 + 1, 5 * 1024 ** 4 + 1, 2 ** 62):
        headers = raw.signed("PUT", path, query, [("Content-Length", str(length)),
                                                  ("Expect", "100-continue")], payload=sigv4.UNSIGNED)
        statuses, _, answer = raw_module.exchange(box, raw_module.head_text("PUT", f"{path}?{query}", headers), 2)
        assert statuses == [400] and b"EntityTooLarge" in answer, answer
    assert upload.numbers() == []


def test_the_largest_object_is_a_setting(new_box, refused):
    box = new_box(args=["--api-object-bytes-max", "6M"])
    s3 = box.s3()
    s3.create_bucket(Bucket="small")
    upload = Upload(s3, "small")
    upload.put(1, BODIES[0])
    upload.put(2, body_of(MIB + 1))
    with refused("EntityTooLarge", 400):
        upload.complete()
    upload.put(2, body_of(MIB))
    upload.complete()
    assert read(s3, "small") == BODIES[0] + body_of(MIB)


def test_part_bodies_are_checked(raw, s3, bucket):
    """A part that is not what was announced is not there."""
    upload = Upload(s3, bucket)
    path, query = upload.target(partNumber=1)
    for headers, options, code in [
            ([("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")], {}, "BadDigest"),
            ([("Content-MD5", "x")], {}, "InvalidDigest"),
            ([], {"payload": "0" * 64}, "XAmzContentSHA256Mismatch")]:
        answer = raw.request("PUT", path, query, headers=headers, body=b"hello", **options)
        assert (answer.status, answer.code) == (400, code), answer
        assert upload.numbers() == []


@pytest.mark.parametrize("size", [0, 5, 200_001])
def test_parts_in_chunks(raw, s3, bucket, size):
    """aws-chunked with a trailer and HTTP chunks around, as the JS SDK sends streams."""
    body, upload = body_of(size), Upload(s3, bucket)
    path, query = upload.target(partNumber=1)
    inner = sigv4.chunked_body(None, None, [body[:7], body[7:]] if size > 7 else [body][:size],
                               trailer=[], signed=False)
    outer = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece)
                     for piece in (inner[at:at + 50_000] for at in range(0, len(inner), 50_000)))
    answer = raw.request("PUT", path, query, body=outer + b"0\r\n\r\n", payload=sigv4.UNSIGNED_TRAILER,
                         headers=[("Transfer-Encoding", "chunked"), ("Content-Encoding", "aws-chunked"),
                                  ("x-amz-decoded-content-length", str(size))])
    assert answer.status == 200 and answer.headers["etag"] == md5(body), answer
    upload.complete([{"PartNumber": 1, "ETag": md5(body)}])
    assert read(s3, bucket) == body
    assert "ContentEncoding" not in s3.head_object(Bucket=bucket, Key="k")


def test_a_bucket_with_an_upload_is_not_empty(s3, bucket, refused):
    upload = Upload(s3, bucket)
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    upload.abort()
    s3.delete_bucket(Bucket=bucket)


def test_another_user(box, s3, bucket, refused):
    """S3-OWNER-1"""
    upload = Upload(s3, bucket)
    upload.put(1, b"hello")
    s3.put_object(Bucket=bucket, Key="source", Body=b"hello")
    stranger = box.s3("stranger")
    upload.s3 = stranger
    for call in [*every_call(upload), lambda: Upload(stranger, bucket),
                 lambda: stranger.list_multipart_uploads(Bucket=bucket)]:
        with refused("AccessDenied", 403):
            call()
    upload.s3 = s3
    assert upload.numbers() == [1]


def test_versions(s3, bucket):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    answers = [make(s3, bucket, "k", [BODIES[0], body]) for body in (b"one", b"two")]
    versions = [answer["VersionId"] for answer in answers]
    assert len(set(versions)) == 2
    for version, body in zip(versions, (b"one", b"two")):
        assert read(s3, bucket, VersionId=version) == BODIES[0] + body
    s3.delete_object(Bucket=bucket, Key="k", VersionId=versions[1])
    assert read(s3, bucket) == BODIES[0] + b"one"


def test_an_upload_outlives_the_process(new_box):
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="outlives")
    upload = Upload(s3, "outlives", Metadata={"a": "1"})
    upload.put(2, BODIES[3])
    box.kill()
    box.start()
    upload.s3 = s3 = box.s3()
    assert upload.numbers() == [2]
    upload.put(1, BODIES[0])
    upload.complete()
    box.restart()
    assert read(box.s3(), "outlives") == BODIES[0] + BODIES[3]
    assert box.s3().head_object(Bucket="outlives", Key="k")["Metadata"] == {"a": "1"}


def test_readers_while_it_is_completed(s3, bucket):
    """A reader sees the old object or the new one, whole."""
    old, new = body_of(300_000, 9), BODIES[0] + BODIES[3]
    s3.put_object(Bucket=bucket, Key="k", Body=old)
    upload = Upload(s3, bucket)
    upload.put(1, BODIES[0])
    upload.put(2, BODIES[3])
    stop, seen = threading.Event(), set()

    def reader():
        while not stop.is_set():
            seen.add(read(s3, bucket))

    threads = [threading.Thread(target=reader) for _ in range(4)]
    for thread in threads:
        thread.start()
    upload.complete()
    stop.set()
    for thread in threads:
        thread.join()
    assert seen <= {old, new} and read(s3, bucket) == new


@pytest.mark.parametrize("size, part", [(9 * MIB, 8 * MIB), (17 * MIB + 3, 5 * MIB)])
def test_the_transfer_manager(s3, bucket, tmp_path, size, part):
    """boto3's upload_file: no type, parts in parallel, no checksum named in Complete."""
    from boto3.s3.transfer import TransferConfig
    config = TransferConfig(multipart_threshold=part, multipart_chunksize=part)
    (tmp_path / "up").write_bytes(body_of(size))
    s3.upload_file(str(tmp_path / "up"), bucket, "k", Config=config)
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"].endswith(f'-{-(-size // part)}"')
    s3.download_file(bucket, "k", str(tmp_path / "down"), Config=config)
    assert (tmp_path / "down").read_bytes() == body_of(size)
