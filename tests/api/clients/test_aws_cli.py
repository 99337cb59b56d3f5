"""The AWS CLI: a tree synced up and down, large objects, and its other commands."""
import json
import urllib.request

import pytest

import tree
from conftest import Client, find


@pytest.fixture
def aws(box, environment):
    return Client([find("aws", "awscli"), "--endpoint-url", box.url], environment)


def test_sync(aws, bucket, tmp_path):
    """2,000 files up, changed, up again, down; byte by byte."""
    up, down = tree.make(tmp_path / "up", 2000), tmp_path / "down"
    target = f"s3://{bucket}/tree"
    aws.run("s3", "sync", "--only-show-errors", up, target)
    assert aws.run("s3", "sync", up, target) == ""
    touched = tree.change(up)
    assert aws.run("s3", "sync", "--no-progress", "--delete", up, target).count("\n") == touched
    aws.run("s3", "sync", "--only-show-errors", target, down)
    tree.assert_same(up, down)


def test_large(aws, s3, bucket, tmp_path):
    """64 MiB in parts, up, copied inside, moved, down."""
    file = tree.random_file(tmp_path / "file", 64 << 20)
    aws.run("s3", "cp", "--only-show-errors", file, f"s3://{bucket}/large")
    assert s3.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-8"')
    aws.run("s3", "cp", "--only-show-errors", f"s3://{bucket}/large", f"s3://{bucket}/copy")
    aws.run("s3", "mv", "--only-show-errors", f"s3://{bucket}/copy", f"s3://{bucket}/moved")
    aws.run("s3", "rm", "--only-show-errors", f"s3://{bucket}/large")
    aws.run("s3", "cp", "--only-show-errors", f"s3://{bucket}/moved", tmp_path / "down")
    assert tree.digest_of(file) == tree.digest_of(tmp_path / "down")


def test_streams_and_links(aws, bucket, tmp_path):
    file = tree.random_file(tmp_path / "file", 9 << 20)
    with open(file, "rb") as stdin:
        aws.run("s3", "cp", "-", f"s3://{bucket}/a b+c", stdin=stdin)
    link = aws.run("s3", "presign", f"s3://{bucket}/a b+c").strip()
    assert urllib.request.urlopen(link).read() == file.read_bytes()
    assert aws.run("s3", "ls", f"s3://{bucket}").split()[2:] == [str(9 << 20), "a", "b+c"]


def test_buckets(aws, s3, tmp_path):
    aws.run("s3", "mb", "s3://made-by-aws")
    assert "made-by-aws" in aws.run("s3", "ls")
    tree.make(tmp_path / "up", 30, large=0)
    aws.run("s3", "cp", "--recursive", "--only-show-errors", tmp_path / "up", "s3://made-by-aws/x/")
    out = aws.run("s3", "ls", "--recursive", "--summarize", "s3://made-by-aws")
    assert "Total Objects: 30" in out
    aws.run("s3", "rb", "s3://made-by-aws", status=1)
    aws.run("s3", "rb", "--force", "s3://made-by-aws")
    assert "made-by-aws" not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_calls(aws, bucket, tmp_path):
    """s3api: each answer is one that the CLI can read."""
    (tmp_path / "body").write_bytes(b"hello")

    def api(*args):
        out = aws.run("s3api", *args, "--bucket", bucket)
        return json.loads(out) if out.strip() else {}

    api("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
    assert api("get-bucket-versioning")["Status"] == "Enabled"
    put = api("put-object", "--key", "k", "--body", str(tmp_path / "body"), "--tagging", "a=1")
    api("copy-object", "--key", "copy", "--copy-source", f"{bucket}/k")
    assert api("get-object-tagging", "--key", "copy")["TagSet"] == [{"Key": "a", "Value": "1"}]
    assert api("head-object", "--key", "k")["VersionId"] == put["VersionId"]
    assert api("get-object-attributes", "--key", "k", "--object-attributes", "ObjectSize")["ObjectSize"] == 5
    api("get-object", "--key", "k", "--range", "bytes=1-3", str(tmp_path / "range"))
    assert (tmp_path / "range").read_bytes() == b"ell"
    upload = api("create-multipart-upload", "--key", "m")["UploadId"]
    assert len(api("list-multipart-uploads")["Uploads"]) == 1
    part = api("upload-part", "--key", "m", "--upload-id", upload, "--part-number", "1",
               "--body", str(tmp_path / "body"))
    assert len(api("list-parts", "--key", "m", "--upload-id", upload)["Parts"]) == 1
    api("complete-multipart-upload", "--key", "m", "--upload-id", upload, "--multipart-upload",
        json.dumps({"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}))
    api("delete-objects", "--delete", json.dumps({"Objects": [{"Key": "k"}, {"Key": "m"}]}))
    assert len(api("list-object-versions")["DeleteMarkers"]) == 2
    assert [entry["Key"] for entry in api("list-objects-v2")["Contents"]] == ["copy"]


@pytest.mark.parametrize("size", [0, 5, 7_000_000])
def test_there_and_back(aws, bucket, tmp_path, size):
    file = tree.random_file(tmp_path / "file", size)
    aws.run("s3", "cp", "--only-show-errors", file, f"s3://{bucket}/a b/ü+☂")
    aws.run("s3", "cp", "--only-show-errors", f"s3://{bucket}/a b/ü+☂", tmp_path / "back")
    assert tree.digest_of(tmp_path / "back") == tree.digest_of(file)


def test_folders(aws, s3, bucket):
    for key in ("a", "d/b", "d/c", "e"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"12345")
    lines = aws.run("s3", "ls", f"s3://{bucket}").splitlines()
    assert [line.split()[-1] for line in lines] == ["d/", "a", "e"]
    aws.run("s3", "rm", "--recursive", f"s3://{bucket}/d/")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2


@pytest.mark.parametrize("call, error", [
    (["s3", "ls", "s3://nobody-made-this"], "NoSuchBucket"),
    (["s3api", "get-bucket-lifecycle-configuration", "--bucket"], "NoSuchLifecycleConfiguration"),
])
def test_refusals_are_shown(aws, bucket, call, error):
    process = aws.start(*call, *([bucket] if call[-1] == "--bucket" else []))
    _, stderr = process.communicate(timeout=60)
    assert process.returncode in (254, 255) and error in stderr  # version 1 ends with 255, version 2 with 254
