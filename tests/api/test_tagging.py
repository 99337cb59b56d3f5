"""Tags of objects and of buckets."""
import pytest


def tags(**pairs):
    return {"TagSet": [{"Key": key, "Value": value} for key, value in pairs.items()]}


def tag_dict(answer):
    return {entry["Key"]: entry["Value"] for entry in answer["TagSet"]}


def tagging_xml(count=1, key="k{}", value="v"):
    rows = "".join(f"<Tag><Key>{key.format(i)}</Key><Value>{value}</Value></Tag>" for i in range(count))
    return f"<Tagging><TagSet>{rows}</TagSet></Tagging>".encode()


@pytest.fixture
def k(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    return {"Bucket": bucket, "Key": "k"}


def test_put_get_delete(s3, k):
    assert s3.get_object_tagging(**k)["TagSet"] == []
    s3.put_object_tagging(**k, Tagging=tags(a="1", b="", ключ="значение"))
    assert tag_dict(s3.get_object_tagging(**k)) == {"a": "1", "b": "", "ключ": "значение"}
    assert s3.get_object(**k)["TagCount"] == 3
    s3.put_object_tagging(**k, Tagging=tags(c="2"))
    assert tag_dict(s3.get_object_tagging(**k)) == {"c": "2"}
    assert s3.delete_object_tagging(**k)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_object_tagging(**k)["TagSet"] == []
    assert "TagCount" not in s3.get_object(**k)


def test_tags_do_not_touch_the_object(s3, k):
    before = s3.head_object(**k)
    s3.put_object_tagging(**k, Tagging=tags(a="1"))
    after = s3.head_object(**k)
    for name in ("ETag", "LastModified", "ContentLength", "Metadata"):
        assert before[name] == after[name]
    assert s3.get_object(**k)["Body"].read() == b"x"


def test_in_the_header_of_a_put(s3, k):
    s3.put_object(**k, Body=b"x", Tagging="a=1&b=&c%20d=e%2Bf%3Dg")
    assert tag_dict(s3.get_object_tagging(**k)) == {"a": "1", "b": "", "c d": "e+f=g"}
    s3.put_object(**k, Body=b"x")
    assert s3.get_object_tagging(**k)["TagSet"] == []


BAD_HEADERS = [("a=1&a=2", None), ("=1", None), ("a" * 129 + "=1", "InvalidTag"), ("a=" + "v" * 257, "InvalidTag"),
               ("&".join(f"k{i}=v" for i in range(11)), None), ("aws:x=1", "InvalidTag"), ("a=%zz", None),
               ("a=%FF", None), ("a=1{2", None)]


@pytest.mark.parametrize("value, code", BAD_HEADERS)
def test_bad_headers(raw, bucket, value, code):
    answer = raw.request("PUT", f"/{bucket}/k", headers=[("x-amz-tagging", value)], body=b"x")
    assert answer.status == 400 and (code is None or answer.code == code), answer
    assert raw.request("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.parametrize("body, code", [
    (b"", "MalformedXML"), (b"<Tagging>", "MalformedXML"), (b"<Other/>", "MalformedXML"),
    (b"<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>", "MalformedXML"),
    (tagging_xml(11), None), (tagging_xml(2, key="same"), "InvalidTag"), (tagging_xml(key="k" * 129), "InvalidTag"),
    (tagging_xml(value="v" * 257), "InvalidTag"), (tagging_xml(key=""), "InvalidTag"),
    (tagging_xml(key="aws:a"), "InvalidTag")])
def test_bad_documents(s3, raw, k, body, code):
    s3.put_object_tagging(**k, Tagging=tags(old="1"))
    answer = raw.request("PUT", f"/{k['Bucket']}/k", "tagging", body=body)
    assert answer.status == 400 and (code is None or answer.code == code), answer
    assert tag_dict(s3.get_object_tagging(**k)) == {"old": "1"}


def test_limits_that_fit(s3, k):
    pairs = {f"k{i}": "v" * 256 for i in range(9)}
    pairs["é" * 128] = "ü" * 256
    s3.put_object_tagging(**k, Tagging=tags(**pairs))
    assert tag_dict(s3.get_object_tagging(**k)) == pairs


def test_versions_have_their_own(s3, bucket, k):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(**k, Body=b"1", Tagging="n=1")["VersionId"]
    second = s3.put_object(**k, Body=b"2", Tagging="n=2")["VersionId"]
    answer = s3.put_object_tagging(**k, VersionId=first, Tagging=tags(n="one"))
    assert answer["VersionId"] == first
    assert tag_dict(s3.get_object_tagging(**k, VersionId=first)) == {"n": "one"}
    answer = s3.get_object_tagging(**k)
    assert tag_dict(answer) == {"n": "2"} and answer["VersionId"] == second
    s3.put_object_tagging(**k, VersionId="null", Tagging=tags(n="null"))
    assert tag_dict(s3.get_object_tagging(**k, VersionId="null")) == {"n": "null"}
    s3.delete_object_tagging(**k)
    assert tag_dict(s3.get_object_tagging(**k, VersionId=first)) == {"n": "one"}
    page = s3.list_object_versions(Bucket=bucket)
    assert [entry["VersionId"] for entry in page["Versions"]] == [second, first, "null"]


def test_of_what_is_not_there(s3, bucket, k, refused):
    for call in (s3.get_object_tagging, s3.delete_object_tagging):
        with refused("NoSuchKey", 404):
            call(Bucket=bucket, Key="other")
    with refused("NoSuchKey", 404):
        s3.put_object_tagging(Bucket=bucket, Key="other", Tagging=tags(a="1"))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    marker = s3.delete_object(**k)["VersionId"]
    with refused("MethodNotAllowed", 405):
        s3.get_object_tagging(**k, VersionId=marker)


def test_buckets(s3, raw, bucket, refused):
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)
    pairs = {f"k{i}": "v" for i in range(50)}
    s3.put_bucket_tagging(Bucket=bucket, Tagging=tags(**pairs))
    assert tag_dict(s3.get_bucket_tagging(Bucket=bucket)) == pairs
    answer = raw.request("PUT", f"/{bucket}", "tagging", body=tagging_xml(51))
    assert answer.status == 400, answer
    s3.delete_bucket_tagging(Bucket=bucket)
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)


def test_they_outlive_the_program(new_box):
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    s3.put_object(Bucket="bkt", Key="k", Body=b"x" * 100_000)
    s3.put_object_tagging(Bucket="bkt", Key="k", Tagging=tags(a="1"))
    s3.put_bucket_tagging(Bucket="bkt", Tagging=tags(b="2"))
    box.kill()
    box.start()
    s3 = box.s3()
    assert tag_dict(s3.get_object_tagging(Bucket="bkt", Key="k")) == {"a": "1"}
    assert tag_dict(s3.get_bucket_tagging(Bucket="bkt")) == {"b": "2"}
    assert s3.get_object(Bucket="bkt", Key="k")["Body"].read() == b"x" * 100_000
