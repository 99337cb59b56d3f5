"""Objects: what was put is what is got, whatever its size, name and headers; deletes."""
import datetime
import email.header
import hashlib
import os
import random
import re
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

import raw as raw_module
import sigv4

KIB, MIB = 1024, 1024 * 1024
SIZES = [0, 1, 100, 4095, 4096, 4097, 65535, 65536, 65537, 256 * KIB - 1, 256 * KIB, 256 * KIB + 1,
         MIB - 1, MIB, MIB + 1, 5 * MIB, 16 * MIB, 16 * MIB + 1, 33 * MIB + 7]
# ACC-35: opaque bytes, never paths.
KEYS = ["../x", "../../../etc/passwd", "..%2f", "//a", "/a", "a//b", "a/", "/", "//", ".", "..",
        "./a", "a/./b", "a/../b", "k" * 1024, "é" * 512, "a\nb", "a\tb", "a\rb", "\x01", "\x7f", "😀",
        "%", "%25", "%zz", "+", "a+b", "a b", " ", " a ", "a?b", "a#b", "a&b=c", "a;b", "a'b\"c", "<a>",
        "a\\b", "a:b", "*", "~", "-", "_", "(a)", "!$@,", "\u202e", "\ufeff", "\ud7ff", "\U0010ffff",
        "日本語/キー", "a\u0301", "á"]


def body_of(size, seed=0):
    return random.Random(size * 31 + seed).randbytes(size)


def md5(body):
    return '"' + hashlib.md5(body).hexdigest() + '"'


@pytest.mark.parametrize("size", SIZES + [pytest.param(100 * MIB, marks=pytest.mark.slow)])
def test_what_was_put_is_got(s3, bucket, size):
    body = body_of(size)
    assert s3.put_object(Bucket=bucket, Key="k", Body=body)["ETag"] == md5(body)
    head = s3.head_object(Bucket=bucket, Key="k")
    assert (head["ContentLength"], head["ETag"]) == (size, md5(body))
    got = s3.get_object(Bucket=bucket, Key="k")
    assert (got["ContentLength"], got["ETag"]) == (size, md5(body))
    assert got["Body"].read() == body


@pytest.mark.parametrize("sizes", [(10, 20), (10, 3 * MIB), (3 * MIB, 10), (3 * MIB, 2 * MIB),
                                   (10, 0), (0, 10), (3 * MIB, 0)])
def test_overwriting(s3, bucket, sizes):
    for size in sizes:
        s3.put_object(Bucket=bucket, Key="k", Body=body_of(size), Metadata={"size": str(size)})
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == body_of(sizes[-1])
    assert got["Metadata"] == {"size": str(sizes[-1])}
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


# S3-ERROR-2
def test_missing_key(s3, raw, bucket, refused):
    with refused("NoSuchKey", 404) as error:
        s3.get_object(Bucket=bucket, Key="not/there")
    assert error.response["Error"]["Key"] == "not/there"
    answer = raw.request("HEAD", f"/{bucket}/not/there")
    assert (answer.status, answer.body) == (404, b"")


@pytest.mark.parametrize("key", KEYS)
def test_keys_are_bytes(s3, raw, bucket, key):
    body = key.encode()
    path = f"/{bucket}/{sigv4.quote_path(key)}"
    assert raw.request("PUT", path, body=body).status == 200
    assert raw.request("GET", path).body == body
    assert raw.request("HEAD", path).headers["etag"] == md5(body)
    assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == body
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    listed = raw.request("GET", f"/{bucket}", "list-type=2&encoding-type=url").texts("Contents/Key")
    assert [urllib.parse.unquote(name, errors="strict") for name in listed] == [key]
    assert raw.request("DELETE", path).status == 204
    assert raw.request("GET", path).code == "NoSuchKey"


def test_keys_differ_by_every_byte(s3, bucket):
    keys = sorted({key for key in KEYS if len(key.encode()) < 100})
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in keys:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    listed = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted(keys, key=str.encode)


@pytest.mark.parametrize("target, code", [
    ("k" * 1025, "KeyTooLongError"), ("%C3%A9" * 513, "KeyTooLongError"),
    ("%FF", None), ("%C0%AF", None), ("%ED%A0%80", None), ("a%00b", None), ("%00", None),
    ("%zz", None), ("a%2", None), ("%", None)])
def test_keys_that_cannot_be(s3, raw, bucket, target, code):
    answer = raw.request("PUT", f"/{bucket}/{target}", body=b"x")
    assert answer.status in (400, 403), answer
    assert code is None or (answer.status, answer.code) == (400, code)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_the_answer_to_get(s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    for method, body in (("GET", b"hello"), ("HEAD", b"")):
        answer = raw.request(method, f"/{bucket}/k")
        assert (answer.status, answer.body) == (200, body)
        assert answer.headers["etag"] == md5(b"hello")
        assert answer.headers["content-length"] == "5"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["content-type"] == "binary/octet-stream"
        assert answer.headers["x-amz-request-id"] and answer.headers["x-amz-id-2"]
        stamp = datetime.datetime.strptime(answer.headers["last-modified"], "%a, %d %b %Y %H:%M:%S GMT")
        assert abs(stamp.timestamp() - time.time() + time.timezone) < 24 * 3600
        assert "x-amz-version-id" not in answer.headers
        assert not [name for name in answer.headers if name.startswith("x-amz-checksum-")]


def test_errors_name_themselves(raw, bucket):
    answer = raw.request("GET", f"/{bucket}/a%20b%3C")
    root = answer.xml()
    assert root.tag == "Error" and root.findtext("Resource") == f"/{bucket}/a%20b%3C"
    assert root.findtext("Key") == "a b<"
    assert root.findtext("RequestId") == answer.headers["x-amz-request-id"]
    assert root.findtext("HostId") and answer.headers["content-type"] == "application/xml"


CONTENT = {"CacheControl": "max-age=60, private", "ContentDisposition": 'attachment; filename="a b"',
           "ContentEncoding": "gzip", "ContentLanguage": "de-DE", "ContentType": "text/plain; charset=utf-8"}


def test_content_headers(s3, bucket):
    expires = datetime.datetime(2031, 5, 6, 7, 8, 9, tzinfo=datetime.timezone.utc)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Expires=expires, **CONTENT)
    for answer in (s3.head_object(Bucket=bucket, Key="k"), s3.get_object(Bucket=bucket, Key="k")):
        for name, value in CONTENT.items():
            assert answer[name] == value
        assert answer["ExpiresString"] == "Tue, 06 May 2031 07:08:09 GMT"


def test_a_put_without_content_headers_forgets_those_before(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", Metadata={"a": "b"}, **CONTENT)
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    head = s3.head_object(Bucket=bucket, Key="k")
    assert head["ContentType"] == "binary/octet-stream" and head["Metadata"] == {}
    assert "CacheControl" not in head and "ContentEncoding" not in head


def test_metadata(s3, bucket):
    metadata = {"plain": "value", "empty": "", "with-dash": "a, b; c=\"d\"", "number": "7",
                "x_y.z": "under"}
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Metadata=metadata)
    assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == metadata
    assert s3.get_object(Bucket=bucket, Key="k")["Metadata"] == metadata


def test_metadata_names_are_lower_case_and_doubles_are_joined(raw, bucket):
    headers = [("X-Amz-Meta-CamelCase", "1"), ("x-amz-meta-two", "a"), ("x-amz-meta-two", "b")]
    assert raw.request("PUT", f"/{bucket}/k", headers=headers).status == 200
    answer = raw.request("HEAD", f"/{bucket}/k")
    assert answer.headers["x-amz-meta-camelcase"] == "1"
    assert answer.headers["x-amz-meta-two"] == "a,b"


def test_metadata_of_utf_8(raw, bucket):
    text = "grün ☂ 日本"
    assert raw.request("PUT", f"/{bucket}/k", headers=[("x-amz-meta-word", text)]).status == 200
    value = raw.request("HEAD", f"/{bucket}/k").headers["x-amz-meta-word"]
    assert str(email.header.make_header(email.header.decode_header(value))) == text


@pytest.mark.parametrize("spare, fits", [(0, True), (1, False), (5000, False)])
def test_metadata_has_a_limit(s3, bucket, spare, fits, refused):
    metadata = {"a" * 48: "v" * 1000, "b": "w" * (2048 - 1049 + spare)}
    if fits:
        s3.put_object(Bucket=bucket, Key="k", Metadata=metadata)
        assert s3.head_object(Bucket=bucket, Key="k")["Metadata"] == metadata
        return
    with refused("MetadataTooLarge", 400):
        s3.put_object(Bucket=bucket, Key="k", Metadata=metadata)


def test_the_boxs_own_prefix_is_refused(raw, bucket):
    """ACC-42."""
    answer = raw.request("PUT", f"/{bucket}/k", headers=[("x-valise-anything", "1")])
    assert answer.status == 400, answer


@pytest.mark.parametrize("shown, stored", [
    ("aws-chunked", None), ("gzip", "gzip"), ("aws-chunked,gzip", "gzip"), ("gzip, aws-chunked", "gzip"),
    ("gzip,aws-chunked,br", "gzip,br")])
# S3-PUT-3
def test_aws_chunked_is_no_content_encoding(raw, bucket, shown, stored):
    raw.request("PUT", f"/{bucket}/k", headers=[("Content-Encoding", shown)], body=b"x")
    value = raw.request("HEAD", f"/{bucket}/k").headers.get("content-encoding")
    assert (value and value.replace(" ", "")) == stored


def test_content_encoding_in_two_fields_is_a_list(raw, bucket):
    headers = [("Content-Encoding", "aws-chunked"), ("Content-Encoding", "gzip")]
    raw.request("PUT", f"/{bucket}/k", headers=headers, body=b"x")
    assert raw.request("HEAD", f"/{bucket}/k").headers.get("content-encoding") == "gzip"


# S3-DELETE-1
def test_delete(s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for _ in range(2):
        answer = raw.request("DELETE", f"/{bucket}/k")
        assert (answer.status, answer.body) == (204, b"")
        assert "x-amz-delete-marker" not in answer.headers
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def delete_xml(keys, quiet=False, namespace=True):
    entries = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys)
    start = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' if namespace else ""
    return f"<Delete{start}>{'<Quiet>true</Quiet>' if quiet else ''}{entries}</Delete>".encode()


def test_delete_objects(s3, bucket):
    for key in ("a", "b/c", "d<&>", "stays"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x" * 70000 if key == "b/c" else b"x")
    keys = ["a", "not-there", "b/c", "a", "d<&>"]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) in (sorted(keys), sorted(set(keys)))
    assert "Errors" not in answer
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["stays"]


def test_delete_objects_quietly(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Quiet": True, "Objects": [{"Key": "a"}]})
    assert "Deleted" not in answer and "Errors" not in answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# S3-DELETE-2
def test_delete_objects_up_to_a_thousand(s3, raw, bucket):
    """ACC-39."""
    s3.put_object(Bucket=bucket, Key="k0", Body=b"x")
    answer = raw.request("POST", f"/{bucket}", "delete", body=delete_xml([f"k{i}" for i in range(1001)]))
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1
    answer = raw.request("POST", f"/{bucket}", "delete", body=delete_xml([f"k{i}" for i in range(1000)]))
    assert answer.status == 200 and len(answer.texts("Deleted/Key")) == 1000
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


# S3-DELETE-2
def test_delete_objects_tells_which_failed(s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    body = delete_xml(["a", "k" * 1025])
    answer = raw.request("POST", f"/{bucket}", "delete=", body=body)
    assert answer.status == 200, answer
    assert answer.texts("Deleted/Key") == ["a"]
    assert answer.texts("Error/Code") == ["KeyTooLongError"]


@pytest.mark.parametrize("body", [
    b"", b"<Delete/>", b"<Delete>", b"<Delete><Object/></Delete>",
    b"nothing", b"<Other><Object><Key>a</Key></Object></Other>",
    b"<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><Delete><Object><Key>&e;</Key></Object></Delete>",
    b"<!DOCTYPE d [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;'>]><Delete><Object><Key>&b;</Key></Object></Delete>",
    b"<Delete>" + b"<a>" * 10000 + b"</a>" * 10000 + b"</Delete>",
    b"<Delete><Object><Key>\xff</Key></Object></Delete>"])
def test_delete_objects_malformed(s3, raw, bucket, body):
    """ACC-38."""
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    answer = raw.request("POST", f"/{bucket}", "delete", body=body)
    assert answer.status == 400, answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_huge_document_is_refused_soon(raw, bucket):
    """ACC-38: 100 MB of XML, of which not much is read into memory."""
    begin = time.monotonic()
    answer = raw.request("POST", f"/{bucket}", "delete", body=b"<Delete>" + b" " * 100_000_000,
                         payload=sigv4.UNSIGNED)
    assert answer.status == 400, answer
    assert time.monotonic() - begin < 5


def test_delete_objects_checks_its_digest(raw, bucket):
    body = delete_xml(["a"], namespace=False)
    for md5_text, code in (("AAAAAAAAAAAAAAAAAAAAAA==", "BadDigest"), ("short", "InvalidDigest")):
        answer = raw.request("POST", f"/{bucket}", "delete", headers=[("Content-MD5", md5_text)], body=body)
        assert (answer.status, answer.code) == (400, code)
    assert raw.request("POST", f"/{bucket}", "delete", body=body).status == 200


def test_too_large_is_told_before_a_byte_is_read(box, raw, bucket):
    """ACC-44."""
    headers = raw.signed("PUT", f"/{bucket}/k", headers=[("Content-Length", str(5 * 2**40 + 1))],
                         payload=sigv4.UNSIGNED)
    found, closed, data = raw_module.exchange(box, raw_module.head_text("PUT", f"/{bucket}/k", [
        *headers, ("Expect", "100-continue")]))
    assert found == [400] and b"EntityTooLarge" in data and closed


@pytest.mark.parametrize("headers", [
    {"StorageClass": "STANDARD"}, {"ACL": "private"}, {"ACL": "bucket-owner-full-control"},
    {"RequestPayer": "requester"}])
def test_values_without_effect(s3, bucket, headers):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", **headers)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_expected_owner(box, s3, bucket):
    account = "000000000000"
    s3.put_object(Bucket=bucket, Key="k", Body=b"x", ExpectedBucketOwner=account)
    assert s3.get_object(Bucket=bucket, Key="k", ExpectedBucketOwner=account)["Body"].read() == b"x"


def test_acl_names_the_owner(box, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    for acl in (s3.get_object_acl(Bucket=bucket, Key="k"), s3.get_bucket_acl(Bucket=bucket)):
        assert acl["Owner"]["ID"] == box.admin.user_id
        assert [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"]


# S3-PUT-2
def test_an_upload_that_breaks_off_leaves_nothing(box, s3, raw, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"before")
    for size in (1000, 3 * MIB):
        headers = raw.signed("PUT", f"/{bucket}/k", headers=[("Content-Length", str(size))],
                             payload=sigv4.UNSIGNED)
        with raw_module.open_socket(box) as connection:
            connection.sendall(raw_module.head_text("PUT", f"/{bucket}/k", headers))
            connection.sendall(b"x" * (size - 1))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"before"


def test_readers_see_whole_objects_while_writers_write(box, s3, bucket):
    bodies = {md5(body_of(size, seed)): body_of(size, seed)
              for seed in range(4) for size in (500, 100_000, 700_000)}
    s3.put_object(Bucket=bucket, Key="k", Body=body_of(500))
    end = time.monotonic() + 4

    def write(seed):
        while time.monotonic() < end:
            for size in (500, 100_000, 700_000):
                s3.put_object(Bucket=bucket, Key="k", Body=body_of(size, seed))
        return 0

    def read(_):
        count = 0
        while time.monotonic() < end:
            got = s3.get_object(Bucket=bucket, Key="k")
            assert got["Body"].read() == bodies[got["ETag"]]
            count += 1
        return count

    with ThreadPoolExecutor(8) as pool:
        writers = [pool.submit(write, seed) for seed in range(4)]
        readers = [pool.submit(read, i) for i in range(4)]
        assert sum(reader.result() for reader in readers) > 20
        assert all(writer.result() == 0 for writer in writers)


def test_a_delete_does_not_disturb_a_reader(s3, bucket):
    body = body_of(40 * MIB)
    s3.put_object(Bucket=bucket, Key="k", Body=body)
    stream = s3.get_object(Bucket=bucket, Key="k")["Body"]
    got = stream.read(100_000)
    s3.delete_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k", Body=body_of(40 * MIB, 1))
    time.sleep(1)
    assert got + stream.read() == body
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == body_of(40 * MIB, 1)


def test_one_key_written_by_many_is_one_of_theirs(box, s3, bucket):
    def write(i):
        return s3.put_object(Bucket=bucket, Key="k", Body=str(i).encode() * 1000)["ETag"]

    with ThreadPoolExecutor(32) as pool:
        tags = set(pool.map(write, range(128)))
    assert s3.head_object(Bucket=bucket, Key="k")["ETag"] in tags
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_objects_outlive_the_program(new_box):
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    sizes = [0, 10, 5000, 65537, 3 * MIB]
    for size in sizes:
        s3.put_object(Bucket="bkt", Key=f"k{size}", Body=body_of(size), Metadata={"size": str(size)})
    s3.put_object(Bucket="bkt", Key="deleted", Body=body_of(100_000))
    s3.delete_object(Bucket="bkt", Key="deleted")
    for end in (box.stop, box.kill, box.kill):
        end()
        box.start()
        s3 = box.s3()
        assert s3.list_objects_v2(Bucket="bkt")["KeyCount"] == len(sizes)
        for size in sizes:
            got = s3.get_object(Bucket="bkt", Key=f"k{size}")
            assert got["Body"].read() == body_of(size) and got["Metadata"] == {"size": str(size)}


# S3-PUT-5
def test_memory_stays_flat(new_box, tmp_path):
    """A large upload uses the memory of a small one."""
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    s3.put_object(Bucket="bkt", Key="k", Body=body_of(MIB))

    def peak_kib():
        with open(f"/proc/{box.process.pid}/status") as status:
            return int(re.search(r"VmHWM:\s+(\d+)", status.read()).group(1))

    before = peak_kib()
    path = tmp_path / "large"
    with open(path, "wb") as file:
        file.truncate(300 * MIB)
    with open(path, "rb") as file:
        s3.put_object(Bucket="bkt", Key="large", Body=file)
    with open(os.devnull, "wb") as sink:
        for piece in s3.get_object(Bucket="bkt", Key="large")["Body"].iter_chunks(MIB):
            sink.write(piece)
    assert peak_kib() - before < 64 * 1024
