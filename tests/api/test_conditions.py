"""Conditional requests: If-Match and its kin on GET, HEAD, PUT, DELETE (s3.md 15)."""
import datetime
import email.utils
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

TAG = '"5d41402abc4b2a76b9719d911017c592"'  # of "hello"
OTHER = '"00000000000000000000000000000000"'
PAST, FUTURE = "Thu, 01 Jan 1998 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture
def path(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    return f"/{bucket}/k"


READS = [
    ([("If-Match", TAG)], 200), ([("If-Match", TAG.strip('"'))], 200), ([("If-Match", OTHER)], 412),
    ([("If-Match", "*")], 200), ([("If-Match", f"{OTHER}, {TAG}")], 200), ([("If-Match", f"W/{TAG}")], 412),
    ([("If-None-Match", TAG)], 304), ([("If-None-Match", TAG.strip('"'))], 304),
    ([("If-None-Match", OTHER)], 200), ([("If-None-Match", "*")], 304), ([("If-None-Match", f"W/{TAG}")], 304),
    ([("If-None-Match", f"{OTHER},{TAG}")], 304),
    ([("If-Modified-Since", PAST)], 200), ([("If-Modified-Since", "now")], 304),
    ([("If-Modified-Since", "nonsense")], 200),
    ([("If-Unmodified-Since", PAST)], 412), ([("If-Unmodified-Since", "now")], 200),
    ([("If-Unmodified-Since", FUTURE)], 200), ([("If-Unmodified-Since", "nonsense")], 200),
    # Tags win over dates.
    ([("If-Match", TAG), ("If-Unmodified-Since", PAST)], 200),
    ([("If-None-Match", OTHER), ("If-Modified-Since", "now")], 200),
    ([("If-None-Match", TAG), ("If-Modified-Since", PAST)], 304),
    ([("If-Match", OTHER), ("If-None-Match", OTHER)], 412),
]


@pytest.mark.parametrize("headers, status", READS, ids=str)
def test_reads(raw, path, headers, status):
    now = raw.request("HEAD", path).headers["last-modified"]
    headers = [(name, now if value == "now" else value) for name, value in headers]
    for method in ("GET", "HEAD"):
        answer = raw.request(method, path, headers=headers)
        assert answer.status == status, answer
        if status == 304:
            assert answer.body == b"" and answer.headers["etag"] == TAG
            assert answer.headers["last-modified"] == now
        if status == 412 and method == "GET":
            assert answer.code == "PreconditionFailed"
    assert raw.request("GET", path + "-not-there", headers=headers).status == 404


PUTS = [("If-None-Match", "*", 412, 200), ("If-None-Match", TAG, 412, 200), ("If-None-Match", OTHER, 200, 200),
        ("If-None-Match", TAG.strip('"'), 412, 200), ("If-Match", TAG, 200, 404),
        ("If-Match", TAG.strip('"'), 200, 404), ("If-Match", OTHER, 412, 404), ("If-Match", "*", 200, 404)]


@pytest.mark.parametrize("name, value, there, missing", PUTS)
@pytest.mark.parametrize("size", [3, 100_000])
def test_puts(raw, path, name, value, there, missing, size):
    body = b"n" * size
    answer = raw.request("PUT", path, headers=[(name, value)], body=body)
    assert answer.status == there, answer
    assert raw.request("GET", path).body == (body if there == 200 else b"hello")
    answer = raw.request("PUT", path + "2", headers=[(name, value)], body=body)
    assert answer.status == missing, answer
    assert raw.request("HEAD", path + "2").status == (200 if missing == 200 else 404)


@pytest.mark.parametrize("name, value, there, missing", [
    ("If-Match", TAG, 204, 404), ("If-Match", OTHER, 412, 404), ("If-Match", "*", 204, 404),
    ("If-Match", TAG.strip('"'), 204, 404)])
def test_deletes(raw, path, name, value, there, missing):
    answer = raw.request("DELETE", path, headers=[(name, value)])
    assert answer.status == there, answer
    assert raw.request("HEAD", path).status == (404 if there == 204 else 200)
    # S3 answers 404 for a key that is not there; a plain success would be as harmless.
    assert raw.request("DELETE", path + "2", headers=[(name, value)]).status in (missing, 412, 204)


def test_delete_objects_with_etags(s3, bucket):
    for key in ("a", "b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"hello")
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a", "ETag": TAG},
                                                                  {"Key": "b", "ETag": OTHER}]})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["a"]
    assert [(entry["Key"], entry["Code"]) for entry in answer["Errors"]] == [("b", "PreconditionFailed")]


def test_one_of_many_creates_wins(box, raw, bucket):
    """PUT with If-None-Match: * by 16 at once: one is stored, the others hear 412 or 409."""
    barrier = threading.Barrier(16)

    def put(i):
        barrier.wait()
        return raw_put(box, bucket, str(i).encode() * 50, [("If-None-Match", "*")])

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(put, range(16)))
    assert statuses.count(200) == 1 and set(statuses) <= {200, 409, 412}
    assert raw.request("GET", f"/{bucket}/k").body == str(statuses.index(200)).encode() * 50


def raw_put(box, bucket, body, headers):
    return box.raw().request("PUT", f"/{bucket}/k", headers=headers, body=body).status


def test_compare_and_swap_loses_no_increment(box, s3, bucket):
    """A counter that 8 clients raise with If-Match."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"0")

    def raise_it(_):
        done = 0
        while done < 10:
            got = s3.get_object(Bucket=bucket, Key="k")
            number = int(got["Body"].read())
            status = raw_put(box, bucket, str(number + 1).encode(), [("If-Match", got["ETag"])])
            assert status in (200, 409, 412)
            done += status == 200

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(raise_it, range(8)))
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"80"


def test_conditions_see_a_delete_marker_as_nothing(s3, raw, bucket, path):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.delete_object(Bucket=bucket, Key="k")
    assert raw.request("PUT", path, headers=[("If-Match", TAG)], body=b"x").status == 404
    assert raw.request("PUT", path, headers=[("If-None-Match", "*")], body=b"x").status == 200


def test_boto3_with_dates(s3, bucket, path, refused):
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    day = datetime.timedelta(days=1)
    with refused("304", 304):
        s3.head_object(Bucket=bucket, Key="k", IfModifiedSince=modified)
    assert s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=modified - day)["ContentLength"] == 5
    with refused("PreconditionFailed", 412):
        s3.get_object(Bucket=bucket, Key="k", IfUnmodifiedSince=modified - day)


@pytest.mark.parametrize("form", ["rfc1123", "rfc850", "asctime"])
def test_three_forms_of_dates(raw, path, form):
    stamp = datetime.datetime(2098, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    text = {"rfc1123": email.utils.format_datetime(stamp, usegmt=True),
            "rfc850": "Thursday, 02-Jan-98 03:04:05 GMT",  # means 1998
            "asctime": stamp.strftime("%a %b %e %H:%M:%S %Y")}[form]
    status = raw.request("GET", path, headers=[("If-Unmodified-Since", text)]).status
    assert status in ((412, 200) if form == "rfc850" else (200,))
