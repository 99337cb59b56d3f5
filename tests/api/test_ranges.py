"""Ranges of GET and HEAD: RFC 9110 section 14 as S3 reads it (s3.md 14, ACC-40)."""
import random

import pytest

MIB = 1024 * 1024
LARGE = random.Random(7).randbytes(3 * MIB + 12345)
SMALL = random.Random(8).randbytes(1000)
BLOCK = 256 * 1024


@pytest.fixture(scope="module")
def ranges(box):
    s3 = box.s3()
    s3.create_bucket(Bucket="ranges")
    for key, body in (("small", SMALL), ("large", LARGE), ("empty", b"")):
        s3.put_object(Bucket="ranges", Key=key, Body=body)
    return {"small": SMALL, "large": LARGE}


def get(raw, key, value, method="GET", headers=()):
    return raw.request(method, f"/ranges/{key}", headers=[("Range", value), *headers])


SATISFIED = [("bytes=0-0", 0, 1), ("bytes=0-9", 0, 10), ("bytes=5-5", 5, 6), ("bytes=990-", 990, None),
             ("bytes=-1", -1, None), ("bytes=-10", -10, None), ("bytes=999-999", 999, 1000),
             ("bytes=0-", 0, None), ("bytes=10-99999999", 10, None), ("bytes=-99999999", 0, None),
             ("bytes=0-18446744073709551615", 0, None), ("bytes=0-99999999999999999999999", 0, None),
             ("bytes=-18446744073709551616", 0, None), ("bytes=500-999", 500, 1000)]


@pytest.mark.parametrize("value, first, end", SATISFIED)
@pytest.mark.parametrize("key", ["small", "large"])
def test_satisfied(raw, ranges, key, value, first, end):
    body = ranges[key]
    wanted = body[first:end]
    begin = first % len(body)
    for method in ("GET", "HEAD"):
        answer = get(raw, key, value, method)
        assert answer.status == 206, answer
        assert answer.headers["content-length"] == str(len(wanted))
        assert answer.headers["content-range"] == f"bytes {begin}-{begin + len(wanted) - 1}/{len(body)}"
        assert not [name for name in answer.headers if name.startswith("x-amz-checksum-")]
        if method == "GET":
            assert answer.body == wanted


@pytest.mark.parametrize("seed", range(40))
def test_any_part_of_a_large_object(raw, ranges, seed):
    chance = random.Random(seed)
    edges = [0, 1, 4096, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, MIB, len(LARGE) - 1,
             chance.randrange(len(LARGE)), chance.randrange(len(LARGE))]
    first, last = sorted(chance.choices(edges, k=2))
    answer = get(raw, "large", f"bytes={first}-{last}")
    assert answer.status == 206 and answer.body == LARGE[first:last + 1]


@pytest.mark.parametrize("key, value", [
    ("small", "bytes=1000-"), ("small", "bytes=1000-1001"), ("small", "bytes=99999999999999999999-"),
    ("small", "bytes=-0"), ("empty", "bytes=0-"), ("empty", "bytes=0-0"), ("empty", "bytes=-1"),
    ("empty", "bytes=-0"), ("large", "bytes=18446744073709551615-18446744073709551615")])
def test_unsatisfiable(raw, ranges, key, value):
    size = len(ranges.get(key, b""))
    answer = get(raw, key, value)
    assert (answer.status, answer.code) == (416, "InvalidRange"), answer
    assert answer.headers["content-range"] == f"bytes */{size}"
    assert get(raw, key, value, "HEAD").status == 416


@pytest.mark.parametrize("value", [
    "bytes=5-4", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes", "chars=0-1", "bytes 0-1", "0-1",
    "bytes=0-1,3-4", "bytes=0-0,-1", "bytes=--1", "bytes=1-2-3", "bytes=0x1-2", "bytes=+1-2", "=0-1",
    "bytes=" + ",".join(f"{i}-{i}" for i in range(1000)), "bytes=1 0-20"])
def test_malformed_and_many_are_the_whole_object(raw, ranges, value):
    """ACC-40."""
    answer = get(raw, "small", value)
    assert answer.status == 200 and answer.body == SMALL
    assert "content-range" not in answer.headers


def test_boto3_with_a_range(s3, ranges):
    got = s3.get_object(Bucket="ranges", Key="large", Range="bytes=262000-600000", ChecksumMode="ENABLED")
    assert got["Body"].read() == LARGE[262000:600001]
    assert "ChecksumCRC32" not in got and got["ContentRange"] == f"bytes 262000-600000/{len(LARGE)}"


def test_if_range(raw, s3, ranges):
    head = s3.head_object(Bucket="ranges", Key="small")
    date = head["ResponseMetadata"]["HTTPHeaders"]["last-modified"]
    cases = [(head["ETag"], 206), (head["ETag"].strip('"'), 206), ('"other"', 200), (date, 206),
             ("W/" + head["ETag"], 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 200), ("nonsense", 200)]
    for value, status in cases:
        answer = get(raw, "small", "bytes=1-2", headers=[("If-Range", value)])
        assert answer.status == status, (value, answer)
        assert answer.body == (SMALL[1:3] if status == 206 else SMALL)


def test_part_number_of_an_object_that_has_no_parts(raw, ranges):
    for method in ("GET", "HEAD"):
        answer = raw.request(method, "/ranges/small", "partNumber=1")
        assert answer.status == 206, answer
        assert answer.headers["content-range"] == "bytes 0-999/1000"
        assert "x-amz-mp-parts-count" not in answer.headers or answer.headers["x-amz-mp-parts-count"] == "1"
    answer = raw.request("GET", "/ranges/small", "partNumber=2")
    assert (answer.status, answer.code) == (416, "InvalidPartNumber")
    assert raw.request("GET", "/ranges/empty", "partNumber=1").status in (200, 206)


@pytest.mark.parametrize("value", ["0", "-1", "10001", "x", "1.0", "99999999999999999999"])
def test_bad_part_numbers(raw, ranges, value):
    answer = raw.request("GET", "/ranges/small", f"partNumber={value}")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


def test_part_number_with_range(raw, ranges):
    answer = raw.request("GET", "/ranges/small", "partNumber=1", headers=[("Range", "bytes=0-1")])
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
