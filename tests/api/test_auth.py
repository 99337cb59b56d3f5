"""Who may: signatures of version 4 and 2, skew, scope, signed headers, two users, anonymous
(ACC-18 to ACC-24, 29, 31, 34)."""
import datetime
import json
import re
import statistics
import time

import pytest

import box as box_module
import sigv4


def minutes(count):
    return sigv4.now() + datetime.timedelta(minutes=count)


@pytest.fixture
def path(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    return f"/{bucket}/k"


def refused_403(answer, code="SignatureDoesNotMatch"):
    assert (answer.status, answer.code) == (403, code), answer


def test_our_own_signer_is_right(raw, path):
    assert raw.request("GET", path).body == b"hello"


@pytest.mark.parametrize("place", range(0, 64, 7))
def test_a_bit_flipped_in_the_signature(raw, path, place):
    """ACC-19."""
    headers = raw.signed("GET", path)
    value = headers[-1][1]
    at = len(value) - 64 + place
    headers[-1] = ("Authorization", value[:at] + sigv4.flip(value[at:at + 1]) + value[at + 1:])
    refused_403(raw.send("GET", path, headers=headers))


def test_other_bits_flipped(raw, path):
    """ACC-19: what the signature covers, and what it is made with."""
    def changed(pattern, replacement, name="Authorization"):
        headers = raw.signed("GET", path)
        return [(field, re.sub(pattern, replacement, value, count=1) if field == name else value)
                for field, value in headers]

    day = raw.signer().amz_date[:8]
    for headers in (changed("us-east-1", "us-east-2"), changed("us-east-1", "us-east-1 "),
                    changed("aws4_request", "aws4_requesu"), changed(day, "20200101"),
                    changed(r"\d\dZ$", "99Z", "x-amz-date"), changed("Signature=", "Signature=0"),
                    changed("/s3/", "/s4/"), changed("/s3/", "/lambda/"), changed("Z", "z", "x-amz-date"),
                    changed(r"^", "0", "x-amz-date"), changed("AWS4-HMAC-SHA256", "AWS4-HMAC-SHA512")):
        answer = raw.send("GET", path, headers=headers)
        assert answer.status in (400, 403, 501), answer
    headers = raw.signed("GET", path)
    for method, target, query in (("HEAD", path, ""), ("DELETE", path, ""), ("GET", path + "x", ""),
                                  ("GET", path, "versionId=null"), ("GET", path, "x")):
        answer = raw.send(method, target, query, headers)
        assert answer.status == 403, answer
    answer = raw.send("PUT", path, headers=raw.signed("PUT", path, body=b"a"), body=b"b")
    assert answer.status == 400 and answer.code == "XAmzContentSHA256Mismatch"


def test_the_service_of_the_scope(raw, path):
    """A service that is not there answers 501 with its name."""
    answer = raw.request("GET", path, signer=raw.signer(service="dynamodb"))
    assert answer.status == 501 and "dynamodb" in answer.message, answer
    answer = raw.request("GET", path, signer=raw.signer(service="lambda"))
    assert answer.status == 501 and "lambda" in answer.message, answer


def test_unknown_keys_look_like_wrong_signatures(raw, path):
    """ACC-20."""
    def strip(answer):
        return re.sub(rb"<(RequestId|HostId)>[^<]*</", b"", answer.body)

    wrong = raw.signed("GET", path)
    wrong[-1] = ("Authorization", wrong[-1][1][:-64] + "0" * 64)
    unknown = [(name, value.replace(raw.keys.access_key, "V" * len(raw.keys.access_key)))
               for name, value in wrong]
    answers = [raw.send("GET", path, headers=headers) for headers in (wrong, unknown)]
    for answer in answers:
        assert answer.status == 403
    assert strip(answers[0]).replace(raw.keys.access_key.encode(), b"") == \
        strip(answers[1]).replace(b"V" * len(raw.keys.access_key), b"")
    assert {name for name in answers[0].headers} == {name for name in answers[1].headers}


def test_unknown_keys_take_as_long_as_wrong_signatures(raw, path):
    """ACC-20, roughly: the medians are within a factor of three."""
    def median(headers):
        times = []
        for _ in range(60):
            begin = time.perf_counter()
            raw.send("GET", path, headers=headers)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)

    wrong = raw.signed("GET", path)
    wrong[-1] = ("Authorization", wrong[-1][1][:-64] + "0" * 64)
    unknown = [(name, value.replace(raw.keys.access_key, "V" * len(raw.keys.access_key)))
               for name, value in wrong]
    first, second = median(wrong), median(unknown)
    assert first / 3 < second < first * 3


@pytest.mark.parametrize("offset, fine", [(-14, True), (14, True), (-16, False), (16, False),
                                          (-60 * 24 * 400, False), (60 * 24 * 400, False)])
def test_skew(raw, path, offset, fine):
    """ACC-21."""
    answer = raw.request("GET", path, signer=raw.signer(when=minutes(offset)))
    if fine:
        assert answer.body == b"hello"
        return
    refused_403(answer, "RequestTimeTooSkewed")
    stamp = re.search(rb"<ServerTime>([^<]*)</ServerTime>", answer.body).group(1).decode()
    server = datetime.datetime.fromisoformat(stamp.replace("Z", "+00:00"))
    assert abs((server - sigv4.now()).total_seconds()) < 60


def test_the_date_may_come_in_the_date_header(raw, path):
    signer = raw.signer()
    date = datetime.datetime.strptime(signer.amz_date, "%Y%m%dT%H%M%SZ").strftime("%a, %d %b %Y %H:%M:%S GMT")
    headers = [("Host", raw.host), ("Date", date), ("x-amz-content-sha256", sigv4.EMPTY_SHA256)]
    names = ["date", "host", "x-amz-content-sha256"]
    signature = signer.signature(sigv4.canonical_request("GET", path, "", headers, names, sigv4.EMPTY_SHA256))
    headers.append(("Authorization", signer.authorization(names, signature)))
    assert raw.send("GET", path, headers=headers).status == 200


def test_signed_headers(raw, path):
    """ACC-29."""
    full = ["host", "x-amz-content-sha256", "x-amz-date"]
    for names in (["x-amz-content-sha256", "x-amz-date"], ["host", "host", *full[1:]], full[::-1],
                  ["Host", *full[1:]], [], ["host", "", *full[1:]], ["host"], ["host", "x-amz-date"],
                  [*full, "x-not-sent"], ["host;host", *full[1:]]):
        answer = raw.request("GET", path, names=names)
        assert answer.status in (400, 403), (names, answer)
    assert raw.request("GET", path, names=full).status == 200


def test_any_amz_header_must_be_signed(raw, path):
    """ACC-23's class of holes, in the header form."""
    for name, value in (("x-amz-copy-source", "/other/key"), ("x-amz-acl", "private"),
                        ("x-amz-meta-a", "b"), ("x-amz-tagging", "a=b"), ("X-AMZ-META-A", "b"),
                        ("x-amz-anything", "x"), ("x-amz-storage-class", "STANDARD")):
        answer = raw.request("PUT", path, headers=[(name, value)], body=b"new", unsigned=[name.lower()])
        assert answer.status == 403, (name, answer)
    assert raw.request("GET", path).body == b"hello"


def test_other_headers_need_not_be_signed(raw, path):
    """ACC-31."""
    headers = [("Content-Type", "text/x"), ("Cache-Control", "no-cache"), ("User-Agent", "me")]
    answer = raw.request("PUT", path, headers=headers, body=b"new",
                         unsigned=["content-type", "cache-control", "user-agent"])
    assert answer.status == 200, answer
    assert raw.request("HEAD", path).headers["content-type"] == "text/x"


def test_header_values_are_trimmed_and_folded(raw, path):
    answer = raw.request("PUT", path, headers=[("x-amz-meta-a", "  two   spaces  ")], body=b"new")
    assert answer.status == 200, answer
    assert raw.request("HEAD", path).headers["x-amz-meta-a"] in ("two   spaces", "two spaces")


@pytest.mark.parametrize("query", ["unknown", "unknown=", "unknown=1", "b=2&a=1", "a=1&a=0", "x-id=GetObject",
                                   "a=%20%2B%26", "%41=%7e", "a=b%3Dc", "a==", "a=%C3%BC"])
def test_unknown_query_keys_are_signed_and_passed_over(raw, path, query):
    answer = raw.request("GET", path, query)
    assert answer.status in (200, 501), answer
    if "=" in query and not query.startswith("unknown="):
        assert answer.body == b"hello", answer


@pytest.mark.parametrize("authorization", [
    "", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 ", "Basic YTpi", "Bearer x", "AWS", "AWS :", "AWS a:b", "AWS4-HMAC-SHA256 Credential=",
    "AWS4-HMAC-SHA256 Credential=a/b/c/d/e, SignedHeaders=host, Signature=x",
    "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=host, Signature=" + "0" * 64,
    "AWS4-HMAC-SHA256 Signature=" + "0" * 64, "AWS4-HMAC-SHA256 " + "a" * 8000,
    "AWS4-HMAC-SHA256 Credential=a/20200101/us-east-1/s3/aws4_request",
    "AWS4-ECDSA-P256-SHA256 Credential=a/20200101/s3/aws4_request, SignedHeaders=host, Signature=" + "0" * 64])
def test_nonsense(raw, path, authorization):
    headers = [("Host", raw.host), ("x-amz-date", raw.signer().amz_date),
               ("x-amz-content-sha256", sigv4.EMPTY_SHA256), ("Authorization", authorization)]
    for method in ("GET", "PUT", "DELETE"):
        answer = raw.send(method, path, headers=headers)
        assert answer.status in (400, 403, 501), answer
    assert raw.request("GET", path).body == b"hello"


def test_two_credentials(raw, path):
    """ACC-24."""
    query = raw.signer().presign("GET", path, "", raw.host, 60)
    answer = raw.send("GET", path, query, raw.signed("GET", path, query))
    assert answer.status == 400, answer
    headers = [*raw.signed("GET", path), ("Authorization", "AWS a:b")]
    assert raw.send("GET", path, headers=headers).status in (400, 403)


def v2_headers(raw, method, path, query="", headers=(), secret=None, date=None):
    date = date or time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
    text = sigv4.string_to_sign_v2(method, path, query, headers, date)
    signature = sigv4.sign_v2(secret or raw.keys.secret_key, text)
    return [("Host", raw.host), ("Date", date), *headers,
            ("Authorization", f"AWS {raw.keys.access_key}:{signature}")]


def test_version_2_in_the_header(raw, path):
    assert raw.send("GET", path, headers=v2_headers(raw, "GET", path)).body == b"hello"
    headers = [("Content-Type", "text/plain"), ("x-amz-meta-b", "2"), ("x-amz-meta-a", "1")]
    answer = raw.send("PUT", path, headers=v2_headers(raw, "PUT", path, headers=headers), body=b"v2")
    assert answer.status == 200, answer
    assert raw.request("GET", path).body == b"v2"
    bucket = path[:path.rindex("/")] + "/"
    answer = raw.send("GET", bucket, "location", v2_headers(raw, "GET", bucket, "location"))
    assert answer.status == 200, answer
    refused_403(raw.send("GET", path, headers=v2_headers(raw, "GET", path, secret="x" * 40)))
    refused_403(raw.send("GET", path, headers=v2_headers(raw, "PUT", path)))
    old = v2_headers(raw, "GET", path, date="Wed, 01 Jan 2020 00:00:00 GMT")
    refused_403(raw.send("GET", path, headers=old), "RequestTimeTooSkewed")


def test_boto3_with_version_2(box, bucket_name):
    """It signs /bucket/ where it sends /bucket."""
    s3 = box.s3(signature_version="s3")
    s3.create_bucket(Bucket=bucket_name)
    s3.put_object(Bucket=bucket_name, Key="a b/ü", Body=b"x" * 100_000, Metadata={"m": "1"})
    assert s3.get_object(Bucket=bucket_name, Key="a b/ü")["Body"].read() == b"x" * 100_000
    assert s3.list_objects_v2(Bucket=bucket_name)["KeyCount"] == 1
    s3.delete_objects(Bucket=bucket_name, Delete={"Objects": [{"Key": "a b/ü"}]})
    s3.delete_bucket(Bucket=bucket_name)


def test_a_region_that_is_set(new_box):
    box = new_box(args=("--api-region", "eu-north-1"))
    answer = box.raw().request("GET", "/")
    assert (answer.status, answer.code) == (400, "AuthorizationHeaderMalformed"), answer
    assert b"<Region>eu-north-1</Region>" in answer.body
    assert box.raw(region="eu-north-1").request("GET", "/").status == 200
    s3 = box.s3(region="eu-north-1")
    s3.create_bucket(Bucket="bkt", CreateBucketConfiguration={"LocationConstraint": "eu-north-1"})
    assert s3.get_bucket_location(Bucket="bkt")["LocationConstraint"] == "eu-north-1"


def test_any_region_is_accepted_else(box, bucket):
    for region in ("us-east-1", "eu-west-3", "mars-1", "x"):
        assert box.raw(region=region).request("GET", f"/{bucket}").status == 200


SUBRESOURCES = ["", "acl", "tagging", "versioning", "location", "versions", "list-type=2", "delete", "uploads",
                "uploadId=x", "policy", "lifecycle", "cors", "encryption", "object-lock", "partNumber=1",
                "versionId=null", "attributes", "notification", "website", "unknown"]


# S3-ROUTE-3
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "POST", "DELETE"])
@pytest.mark.parametrize("target", ["/", "/{}", "/{}/k", "/{}/new", "/no-such-bucket", "/no-such-bucket/k"])
def test_anonymous(box, s3, bucket, method, target):
    """ACC-34: 403 on every route, and nothing is told about what exists."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    anonymous = box.raw(user=None)
    for query in SUBRESOURCES:
        answer = anonymous.request(method, target.format(bucket), query, body=b"x" if method in ("PUT", "POST") else b"")
        assert answer.status == 403, (query, answer)
        assert method == "HEAD" or answer.code == "AccessDenied"
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


def test_health_is_for_everybody(box):
    answer = box.raw(user=None).request("GET", "/-/health")
    assert answer.status == 200 and b"ok" in answer.body


def test_another_user_may_nothing(box, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    bob = box.raw("bob")
    calls = [("GET", f"/{bucket}/k", ""), ("HEAD", f"/{bucket}/k", ""), ("DELETE", f"/{bucket}/k", ""),
             ("PUT", f"/{bucket}/k", ""), ("PUT", f"/{bucket}/new", ""), ("GET", f"/{bucket}", ""),
             ("GET", f"/{bucket}", "list-type=2"), ("GET", f"/{bucket}", "versions"), ("HEAD", f"/{bucket}", ""),
             ("DELETE", f"/{bucket}", ""), ("PUT", f"/{bucket}", "versioning"), ("POST", f"/{bucket}", "delete"),
             ("GET", f"/{bucket}/k", "tagging"), ("PUT", f"/{bucket}/k", "tagging"), ("GET", f"/{bucket}", "acl"),
             ("GET", f"/{bucket}/missing", ""), ("GET", f"/{bucket}", "location"), ("GET", f"/{bucket}/k", "acl"),
             ("GET", f"/{bucket}", "tagging"), ("DELETE", f"/{bucket}", "tagging"), ("GET", f"/{bucket}", "policy")]
    for method, target, query in calls:
        answer = bob.request(method, target, query)
        assert answer.status == 403, (method, target, query, answer)
        assert method == "HEAD" or answer.code == "AccessDenied", answer
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"


def test_keys_that_are_disabled_or_deleted(new_box):
    box = new_box()
    for action in ("disable", "delete"):
        keys = box.user(f"user-{action}")
        raw = box.raw(keys.user)
        assert raw.request("GET", "/").status == 200
        assert box_module.run("key", action, keys.access_key, "--data", box.data).returncode == 0
        refused_403(raw.request("GET", "/"))
        box.restart()
        refused_403(box.raw(keys.user).request("GET", "/"))


def test_two_keys_of_one_user(new_box):
    box = new_box()
    first = box.user("ann")
    done = box_module.run("key", "create", "--data", box.data, "--user", "ann", "--json")
    second = box_module.Keys(json.loads(done.stdout))
    assert (second.user_id, second.access_key != first.access_key) == (first.user_id, True)
    box.s3("ann").create_bucket(Bucket="bkt")
    box.users["second"] = second
    assert [entry["Name"] for entry in box.s3("second").list_buckets()["Buckets"]] == ["bkt"]


def test_a_session_token_that_is_none(raw, path):
    answer = raw.request("GET", path, headers=[("x-amz-security-token", "nonsense")])
    assert answer.status in (400, 403), answer
