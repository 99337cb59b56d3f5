"""Buckets: making, finding, listing, deleting; their names (ACC-36); whose they are."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

GOOD_NAMES = ["abc", "a" * 63, "0-9", "my.bucket.with.dots", "1.2.3", "1.2.3.4.5", "a1b", "256.1.1.1x"]
BAD_NAMES = ["ab", "a" * 64, "UPPER", "camelCase", "under_score", "192.168.0.1", "xn--abc",
             "sthree-abc", "amzn-s3-demo-abc", "abc-s3alias", "abc--ol-s3", "abc.mrap", "abc--x-s3",
             "a..b", "a.-b", "a-.b", "-abc", "abc-", ".abc", "abc.", "a%20b", "b%C3%BCcket", "a%2Bb",
             "a%00b", "%2e%2e", "..."]


def test_a_new_bucket_is_found_and_listed(s3, bucket):
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    listed = s3.list_buckets()
    entry = next(entry for entry in listed["Buckets"] if entry["Name"] == bucket)
    assert entry["CreationDate"].year > 2000
    assert listed["Owner"]["ID"]


def test_create_tells_its_location(s3, bucket_name):
    assert s3.create_bucket(Bucket=bucket_name)["Location"] == f"/{bucket_name}"


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_good_names(s3, raw, name):
    assert raw.request("PUT", f"/{name}").status == 200
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]] == ["k"]
    s3.delete_object(Bucket=name, Key="k")
    s3.delete_bucket(Bucket=name)


@pytest.mark.parametrize("name", BAD_NAMES)
def test_bad_names(raw, name):
    answer = raw.request("PUT", f"/{name}")
    assert answer.status == 400, answer
    assert answer.code in ("InvalidBucketName", "InvalidURI"), answer
    assert raw.request("HEAD", f"/{name}").status in (400, 404)


# S3-BUCKET-1
def test_create_again(s3, bucket, refused):
    with refused("BucketAlreadyOwnedByYou", 409):
        s3.create_bucket(Bucket=bucket)


# S3-BUCKET-1
def test_create_what_another_has(box, bucket, refused):
    with refused("BucketAlreadyExists", 409):
        box.s3("bob").create_bucket(Bucket=bucket)


def test_one_of_many_creates_wins(box, bucket_name):
    clients = [box.s3(user) for user in ("admin", "bob") for _ in range(8)]

    def create(client):
        try:
            client.create_bucket(Bucket=bucket_name)
            return "created"
        except ClientError as error:
            return error.response["Error"]["Code"]

    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(create, clients))
    assert results.count("created") == 1
    assert set(results) <= {"created", "BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


@pytest.mark.parametrize("region", [None, "eu-west-1", "EU"])
def test_location(box, bucket_name, region):
    s3 = box.s3(region=region if region and "-" in region else "us-east-1")
    extra = {"CreateBucketConfiguration": {"LocationConstraint": region}} if region else {}
    s3.create_bucket(Bucket=bucket_name, **extra)
    assert s3.get_bucket_location(Bucket=bucket_name)["LocationConstraint"] == region


def test_location_of_us_east_1_is_an_empty_element(raw, bucket):
    root = raw.request("GET", f"/{bucket}", "location").xml()
    assert root.tag.endswith("}LocationConstraint") and not root.text and len(root) == 0


@pytest.mark.parametrize("body", [b"<a", b"<CreateBucketConfiguration>", b"text", b"<Other/>",
                                  b"\xff\xfe"])
def test_create_with_malformed_xml(raw, bucket_name, body):
    answer = raw.request("PUT", f"/{bucket_name}", body=body)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert raw.request("HEAD", f"/{bucket_name}").status == 404


def test_a_slash_after_the_bucket_is_the_bucket(raw, bucket_name):
    assert raw.request("PUT", f"/{bucket_name}/").status == 200
    assert raw.request("GET", f"/{bucket_name}/", "list-type=2").texts("KeyCount") == ["0"]
    assert raw.request("HEAD", f"/{bucket_name}/").status == 200
    assert raw.request("DELETE", f"/{bucket_name}/").status == 204


def test_missing_bucket(s3, raw, refused):
    calls = [lambda: s3.list_objects_v2(Bucket="not-there"),
             lambda: s3.list_objects(Bucket="not-there"),
             lambda: s3.put_object(Bucket="not-there", Key="k", Body=b"x"),
             lambda: s3.get_object(Bucket="not-there", Key="k"),
             lambda: s3.delete_object(Bucket="not-there", Key="k"),
             lambda: s3.delete_bucket(Bucket="not-there"),
             lambda: s3.get_bucket_location(Bucket="not-there"),
             lambda: s3.get_bucket_versioning(Bucket="not-there"),
             lambda: s3.get_bucket_lifecycle_configuration(Bucket="not-there"),
             lambda: s3.list_object_versions(Bucket="not-there")]
    for call in calls:
        with refused("NoSuchBucket", 404):
            call()
    answer = raw.request("HEAD", "/not-there")
    assert (answer.status, answer.body) == (404, b"")


def test_delete(s3, bucket, refused):
    answer = s3.delete_bucket(Bucket=bucket)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("404", 404):
        s3.head_bucket(Bucket=bucket)
    assert bucket not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    s3.create_bucket(Bucket=bucket)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_delete_of_what_is_not_empty(s3, bucket, refused):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"
    s3.delete_object(Bucket=bucket, Key="k")
    s3.delete_bucket(Bucket=bucket)


def test_delete_of_one_with_only_old_versions_or_markers(s3, bucket, refused):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="k")["VersionId"]
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=version)
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="k", VersionId=marker)
    s3.delete_bucket(Bucket=bucket)


def test_deletes_and_puts_at_once_lose_nothing(box, s3, bucket_name):
    """Either the bucket is gone and the put was refused, or the put is there."""
    def put():
        try:
            box.s3().put_object(Bucket=bucket_name, Key="k", Body=b"x")
            return True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "NoSuchBucket"
            return False

    def delete():
        try:
            box.s3().delete_bucket(Bucket=bucket_name)
            return True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "BucketNotEmpty"
            return False

    for _ in range(10):
        s3.create_bucket(Bucket=bucket_name)
        with ThreadPoolExecutor(2) as pool:
            was_put, was_deleted = pool.submit(put), pool.submit(delete)
        assert was_put.result() != was_deleted.result()
        if was_put.result():
            s3.delete_object(Bucket=bucket_name, Key="k")
            s3.delete_bucket(Bucket=bucket_name)


def test_the_list_is_ones_own_and_sorted(box):
    carol = box.s3("carol")
    for name in ("ccc-2", "ccc-1", "ccc.3"):
        carol.create_bucket(Bucket=name)
    answer = carol.list_buckets()
    assert [entry["Name"] for entry in answer["Buckets"]] == ["ccc-1", "ccc-2", "ccc.3"]
    assert answer["Owner"]["ID"] == box.user("carol").user_id
    assert box.s3("dave").list_buckets()["Buckets"] == []


def test_the_list_in_pages(box):
    erin = box.s3("erin")
    names = [f"eee-{i:02}" for i in range(12)]
    for name in reversed(names):
        erin.create_bucket(Bucket=name)
    got, token = [], {}
    while True:
        page = erin.list_buckets(MaxBuckets=5, **token)
        got += [entry["Name"] for entry in page["Buckets"]]
        if "ContinuationToken" not in page:
            break
        token = {"ContinuationToken": page["ContinuationToken"]}
    assert got == names
    page = erin.list_buckets(Prefix="eee-1", MaxBuckets=1)
    assert [entry["Name"] for entry in page["Buckets"]] == ["eee-10"] and page["Prefix"] == "eee-1"


@pytest.mark.parametrize("query", ["max-buckets=0", "max-buckets=-1", "max-buckets=10001",
                                   "max-buckets=x", "continuation-token=abc",
                                   "max-buckets=99999999999999999999"])
def test_the_list_with_bad_parameters(raw, query):
    answer = raw.request("GET", "/", query)
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


def test_buckets_outlive_the_program(new_box):
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="stays", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.create_bucket(Bucket="goes")
    s3.put_bucket_versioning(Bucket="stays", VersioningConfiguration={"Status": "Enabled"})
    s3.delete_bucket(Bucket="goes")
    for end in (box.stop, box.kill):
        end()
        box.start()
        s3 = box.s3()
        assert [entry["Name"] for entry in s3.list_buckets()["Buckets"]] == ["stays"]
        assert s3.get_bucket_location(Bucket="stays")["LocationConstraint"] == "eu-west-1"
        assert s3.get_bucket_versioning(Bucket="stays")["Status"] == "Enabled"
