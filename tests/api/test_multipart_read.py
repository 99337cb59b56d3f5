"""Reading what was made of parts: by part number, by ranges over their edges (s3.md 14)."""
import random

import pytest

from uploads import PART, body_of, etag_of_parts, make, read

BODIES = [body_of(PART, 1), body_of(PART, 2), body_of(PART + 1, 3), body_of(1234, 4)]
WHOLE = b"".join(BODIES)


@pytest.fixture(scope="module")
def object_of_parts(box):
    """(bucket, key) of an object of BODIES."""
    box.s3().create_bucket(Bucket="of-parts")
    make(box.s3(), "of-parts", "k", BODIES)
    return "of-parts", "k"


def test_reading_by_part(s3, raw, object_of_parts, refused):
    """s3.md 14, S3-GET-1"""
    bucket, key = object_of_parts
    at = 0
    for number, body in enumerate(BODIES, 1):
        for call in (s3.get_object, s3.head_object):
            answer = call(Bucket=bucket, Key=key, PartNumber=number)
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
            assert (answer["ContentLength"], answer["PartsCount"]) == (len(body), 4)
            assert answer["ContentRange"] == f"bytes {at}-{at + len(body) - 1}/{len(WHOLE)}"
            assert answer["ETag"] == etag_of_parts(BODIES)
        assert s3.get_object(Bucket=bucket, Key=key, PartNumber=number)["Body"].read() == body
        at += len(body)
    with refused("InvalidPartNumber", 416):
        s3.get_object(Bucket=bucket, Key=key, PartNumber=5)
    assert raw.request("HEAD", f"/{bucket}/{key}", "partNumber=5").status == 416
    for number in ("0", "10001", "x", "-1", ""):
        answer = raw.request("GET", f"/{bucket}/{key}", f"partNumber={number}")
        assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    answer = raw.request("GET", f"/{bucket}/{key}", "partNumber=1", headers=[("Range", "bytes=0-1")])
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer


def test_reading_an_ordinary_object_by_part(s3, bucket, refused):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    answer = s3.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert answer["Body"].read() == b"hello" and "PartsCount" not in answer
    with refused("InvalidPartNumber", 416):
        s3.get_object(Bucket=bucket, Key="k", PartNumber=2)


def test_ranges_over_parts(s3, object_of_parts):
    bucket, key = object_of_parts
    dice = random.Random(2)
    edges = [0, 1, PART - 1, PART, PART + 1, 2 * PART, 3 * PART, 3 * PART + 1, len(WHOLE) - 1]
    spans = [(first, last) for first in edges for last in edges if first <= last]
    spans += [sorted((dice.randrange(len(WHOLE)), dice.randrange(len(WHOLE)))) for _ in range(20)]
    for first, last in dice.sample(spans, 30):
        got = read(s3, bucket, key, Range=f"bytes={first}-{last}")
        assert got == WHOLE[first:last + 1], (first, last)
    assert read(s3, bucket, key, Range="bytes=-1300") == WHOLE[-1300:]
