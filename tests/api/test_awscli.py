"""The AWS command line, where it is installed: cp, sync, ls, rm, mv, s3api."""
import json
import os
import random
import shutil
import subprocess

import pytest

pytestmark = pytest.mark.skipif(not shutil.which("aws"), reason="the AWS command line is not installed")


@pytest.fixture
def aws(box, tmp_path):
    keys = box.admin
    (tmp_path / "config").write_text("[default]\ns3 =\n  addressing_style = path\n")
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "AWS_ENDPOINT_URL": box.url,
           "AWS_ACCESS_KEY_ID": keys.access_key, "AWS_SECRET_ACCESS_KEY": keys.secret_key,
           "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": str(tmp_path / "config"),
           "AWS_EC2_METADATA_DISABLED": "true", "AWS_MAX_ATTEMPTS": "1", "LANG": "C.UTF-8"}
    env.update({name: os.environ[name] for name in ("PYENV_ROOT", "PYENV_VERSION") if name in os.environ})

    def call(*args, code=0, text=None):  # version 1 fails with 255, version 2 with 254
        done = subprocess.run(["aws", *map(str, args)], env=env, capture_output=True, text=True,
                              timeout=120, input=text)
        assert done.returncode in (code if isinstance(code, tuple) else (code,)), (args, done.stdout, done.stderr)
        return done.stdout

    return call


def write_tree(folder, names, size=1000):
    for i, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(random.Random(i).randbytes(size + i))


def test_cp_there_and_back(aws, bucket, tmp_path):
    for size in (0, 5, 7_000_000):
        source, back = tmp_path / "source", tmp_path / "back"
        source.write_bytes(random.Random(size).randbytes(size))
        aws("s3", "cp", source, f"s3://{bucket}/a b/ü+{size}")
        aws("s3", "cp", f"s3://{bucket}/a b/ü+{size}", back)
        assert back.read_bytes() == source.read_bytes()


def test_cp_of_a_stream(aws, bucket):
    aws("s3", "cp", "-", f"s3://{bucket}/stream", text="from a pipe\n")
    assert aws("s3", "cp", f"s3://{bucket}/stream", "-") == "from a pipe\n"


def test_sync(aws, s3, bucket, tmp_path):
    names = ["a", "d/b", "d/e/c", "ü/☂", "with space"]
    write_tree(tmp_path / "tree", names)
    aws("s3", "sync", tmp_path / "tree", f"s3://{bucket}/copy")
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == \
        sorted((f"copy/{name}" for name in names), key=str.encode)
    assert aws("s3", "sync", tmp_path / "tree", f"s3://{bucket}/copy") == ""
    aws("s3", "sync", f"s3://{bucket}/copy", tmp_path / "back")
    for name in names:
        assert (tmp_path / "back" / name).read_bytes() == (tmp_path / "tree" / name).read_bytes()
    (tmp_path / "tree" / "a").unlink()
    aws("s3", "sync", "--delete", tmp_path / "tree", f"s3://{bucket}/copy")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == len(names) - 1


def test_ls_and_rm(aws, s3, bucket):
    for key in ("a", "d/b", "d/c", "e"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"12345")
    assert [line.split()[-1] for line in aws("s3", "ls", f"s3://{bucket}").splitlines()] == ["d/", "a", "e"]
    assert "Total Objects: 4" in aws("s3", "ls", f"s3://{bucket}", "--recursive", "--summarize")
    assert bucket in aws("s3", "ls")
    aws("s3", "rm", f"s3://{bucket}/d/", "--recursive")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2
    aws("s3", "rb", f"s3://{bucket}", code=1)
    aws("s3", "rb", f"s3://{bucket}", "--force")
    aws("s3", "ls", f"s3://{bucket}", code=(254, 255))


def test_mb_and_presign(aws, box, bucket, s3):
    aws("s3", "mb", f"s3://{bucket}-2")
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    url = aws("s3", "presign", f"s3://{bucket}/k").strip()
    path, _, query = url.removeprefix(box.url).partition("?")
    assert box.raw(user=None).request("GET", path, query).body == b"hello"


def test_s3api(aws, bucket):
    def api(*args, **options):
        text = aws("s3api", *args, "--bucket", bucket, **options)
        return json.loads(text) if text.strip() else {}

    api("put-object", "--key", "k", "--metadata", "a=b", "--content-type", "text/plain")
    assert api("head-object", "--key", "k")["Metadata"] == {"a": "b"}
    api("put-object-tagging", "--key", "k", "--tagging", "TagSet=[{Key=t,Value=v}]")
    assert api("get-object-tagging", "--key", "k")["TagSet"] == [{"Key": "t", "Value": "v"}]
    api("put-bucket-versioning", "--versioning-configuration", "Status=Enabled")
    assert api("get-bucket-versioning") == {"Status": "Enabled"}
    version = api("delete-object", "--key", "k")["VersionId"]
    assert [marker["VersionId"] for marker in api("list-object-versions")["DeleteMarkers"]] == [version]
    assert [entry["Key"] for entry in api("list-objects-v2").get("Contents", [])] == []
    api("get-bucket-lifecycle-configuration", code=(254, 255))
    assert api("get-bucket-location")["LocationConstraint"] is None
    assert api("get-bucket-acl")["Owner"]["ID"]
