"""Presigned requests: version 4 and 2 in the query (s3.md 12, ACC-22, ACC-23)."""
import datetime
import time
import urllib.parse

import pytest

import sigv4


@pytest.fixture
def path(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a key", Body=b"hello", ContentType="text/plain")
    return f"/{bucket}/a%20key"


def send(box, method, path, query, headers=(), body=b""):
    return box.raw(user=None).request(method, path, query, headers, body)


def presign(raw, path, method="GET", query="", expires=60, headers=(), when=None):
    return raw.signer(when=when).presign(method, path, query, raw.host, expires, headers)


def follow(box, url, method="GET", headers=(), body=b""):
    """Use a URL as anybody would."""
    parts = urllib.parse.urlsplit(url)
    return send(box, method, parts.path, parts.query, headers, body)


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_boto3(box, bucket, path, version):
    s3 = box.s3(signature_version=version)
    where = {"Bucket": bucket, "Key": "a key"}
    url = s3.generate_presigned_url("get_object", Params=where)
    assert ("X-Amz-Signature" in url) == (version == "s3v4")
    assert follow(box, url).body == b"hello"
    url = s3.generate_presigned_url("get_object", Params={
        **where, "ResponseContentType": "x/y", "ResponseContentDisposition": 'attachment; filename="ü"'})
    answer = follow(box, url)
    assert answer.headers["content-type"] == "x/y" and answer.body == b"hello"
    url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "new"})
    assert follow(box, url, "PUT", body=b"put by url").status == 200
    assert s3.get_object(Bucket=bucket, Key="new")["Body"].read() == b"put by url"
    for call, status in (("head_object", 200), ("delete_object", 204)):
        url = s3.generate_presigned_url(call, Params={"Bucket": bucket, "Key": "new"})
        assert follow(box, url, call.split("_")[0].upper()).status == status
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": bucket, "Prefix": "a"})
    assert follow(box, url).texts("Contents/Key") == ["a%20key"]  # boto3 asks for encoding-type=url


def test_boto3_presigns_with_metadata_and_type(box, bucket, path):
    s3 = box.s3(signature_version="s3v4")
    url = s3.generate_presigned_url("put_object", Params={
        "Bucket": bucket, "Key": "new", "ContentType": "a/b", "Metadata": {"m": "1"}})
    headers = [("Content-Type", "a/b"), ("x-amz-meta-m", "1")]
    assert follow(box, url, "PUT", headers, b"x").status == 200
    assert s3.head_object(Bucket=bucket, Key="new")["Metadata"] == {"m": "1"}
    assert follow(box, url, "PUT", [("Content-Type", "c/d"), ("x-amz-meta-m", "1")], b"x").status == 403


def test_a_get_url_is_for_get(box, raw, path):
    query = presign(raw, path)
    assert send(box, "GET", path, query).body == b"hello"
    for method in ("HEAD", "PUT", "DELETE", "POST"):
        assert send(box, method, path, query).status == 403
    assert send(box, "GET", path + "x", query).status == 403
    assert send(box, "GET", path, query + "&versionId=null").status == 403
    assert send(box, "GET", path, query + "&response-content-type=x").status == 403
    assert send(box, "GET", path, query[:-1] + ("0" if query[-1] != "0" else "1")).status == 403


@pytest.mark.parametrize("expires, statuses", [
    (1, [200]), (604800, [200]), (0, [400, 403]), (-1, [400, 403]), (604801, [400, 403]), ("x", [400, 403]),
    ("", [400, 403]), ("1.5", [400, 403]), ("99999999999999999999", [400, 403]), ("+60", [400, 403])])
def test_expires(box, raw, path, expires, statuses):
    """ACC-22."""
    answer = send(box, "GET", path, presign(raw, path, expires=expires))
    assert answer.status in statuses, answer


def test_expired(box, raw, path):
    """ACC-22."""
    def ago(seconds):
        return sigv4.now() - datetime.timedelta(seconds=seconds)

    answer = send(box, "GET", path, presign(raw, path, expires=60, when=ago(62)))
    assert (answer.status, answer.code) == (403, "AccessDenied") and "expired" in answer.message, answer
    assert send(box, "GET", path, presign(raw, path, expires=3600, when=ago(3500))).status == 200
    assert send(box, "GET", path, presign(raw, path, expires=604800, when=ago(600000))).status == 200
    answer = send(box, "GET", path, presign(raw, path, expires=604800, when=ago(-20 * 60)))
    assert answer.status == 403, answer


@pytest.mark.parametrize("name, value", [
    ("x-amz-copy-source", "/other/key"), ("x-amz-acl", "public-read"), ("x-amz-meta-a", "b"),
    ("x-amz-tagging", "a=b"), ("x-amz-storage-class", "STANDARD"), ("x-amz-checksum-crc32", "NhCmhg=="),
    ("x-amz-date", "20200101T000000Z"), ("X-Amz-Meta-B", "c")])
def test_a_put_url_with_more_headers_than_signed(box, raw, s3, bucket, path, name, value):
    """ACC-23."""
    query = presign(raw, f"/{bucket}/new", "PUT")
    answer = send(box, "PUT", f"/{bucket}/new", query, [(name, value)], b"hello")
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 1


# S3-HEADER-2
def test_headers_as_query_parameters(box, raw, s3, bucket):
    """Extra headers may be query parameters, then they are signed."""
    path = f"/{bucket}/new"
    query = presign(raw, path, "PUT", "x-amz-meta-a=b&x-amz-tagging=" + sigv4.quote("t=1"))
    assert send(box, "PUT", path, query, body=b"x").status == 200
    head = s3.get_object(Bucket=bucket, Key="new")
    assert head["Metadata"] == {"a": "b"} and head["TagCount"] == 1


def test_payloads(box, raw, bucket):
    path = f"/{bucket}/new"
    query = presign(raw, path, "PUT")
    assert send(box, "PUT", path, query, body=b"x" * 100_000).status == 200
    for value in (sigv4.UNSIGNED,):
        answer = send(box, "PUT", path, query, [("x-amz-content-sha256", value)], b"x")
        assert answer.status in (200, 403), answer


@pytest.mark.parametrize("missing", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
                                     "X-Amz-SignedHeaders", "X-Amz-Signature"])
def test_parameters_that_are_missing_or_twice(box, raw, path, missing):
    pieces = presign(raw, path).split("&")
    without = "&".join(piece for piece in pieces if not piece.startswith(missing))
    answer = send(box, "GET", path, without)
    assert answer.status in (400, 403), answer
    twice = "&".join([*pieces, next(piece for piece in pieces if piece.startswith(missing))])
    assert send(box, "GET", path, twice).status in (400, 403)
    empty = "&".join(missing + "=" if piece.startswith(missing) else piece for piece in pieces)
    assert send(box, "GET", path, empty).status in (400, 403)


# S3-GET-3
def test_overrides_need_a_signature(box, raw, path):
    overrides = ("response-content-type=a%2Fb&response-cache-control=no-store&response-content-language=de"
                 "&response-content-disposition=inline&response-content-encoding=br&response-expires=never")
    for answer in (send(box, "GET", path, presign(raw, path, query=overrides)),
                   raw.request("GET", path, overrides)):
        assert answer.status == 200
        assert answer.headers["content-type"] == "a/b" and answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"] == "inline" and answer.headers["expires"] == "never"
        assert answer.headers["content-language"] == "de" and answer.headers["content-encoding"] == "br"
    answer = send(box, "GET", path, overrides)
    assert answer.status in (400, 403), answer


# S3-GET-3
@pytest.mark.parametrize("value", ["a%0D%0AX-Injected:1", "a%00", "%0A"])
def test_overrides_cannot_split_the_answer(box, raw, path, value):
    answer = send(box, "GET", path, presign(raw, path, query=f"response-content-type={value}"))
    assert answer.status == 400 and "x-injected" not in answer.headers, answer


def v2_query(raw, method, path, expires, query="", secret=None):
    text = sigv4.string_to_sign_v2(method, path, query, [], str(expires))
    signature = sigv4.sign_v2(secret or raw.keys.secret_key, text)
    return "&".join(filter(None, [query, f"AWSAccessKeyId={raw.keys.access_key}", f"Expires={expires}",
                                  f"Signature={sigv4.quote(signature)}"]))


def test_version_2(box, raw, path):
    soon, past = int(time.time()) + 60, int(time.time()) - 60
    assert send(box, "GET", path, v2_query(raw, "GET", path, soon)).body == b"hello"
    answer = send(box, "GET", path, v2_query(raw, "GET", path, past))
    assert (answer.status, answer.code) == (403, "AccessDenied"), answer
    for expires in ("0", "-1", "x", "", "99999999999999999999", "1e9"):
        answer = send(box, "GET", path, v2_query(raw, "GET", path, expires))
        assert answer.status in (400, 403), (expires, answer)
    assert send(box, "GET", path, v2_query(raw, "GET", path, soon, secret="x" * 40)).status == 403
    assert send(box, "PUT", path, v2_query(raw, "GET", path, soon), body=b"x").status == 403
    answer = send(box, "GET", path, v2_query(raw, "GET", path, soon) + "&response-content-type=x")
    assert answer.status == 403, answer
    answer = send(box, "PUT", path, v2_query(raw, "PUT", path, soon), [("x-amz-meta-a", "b")], b"x")
    assert answer.status == 403, answer


def test_another_users_url(box, bucket, path):
    bob = box.raw("bob")
    assert send(box, "GET", path, presign(bob, path)).status == 403
