"""rclone, as each of the providers that people choose for a box: trees, streams, copies inside."""
import json
import signal
import subprocess
import time

import pytest

import tree


@pytest.fixture
def rclone(rclone_as):
    return rclone_as("Other")


def test_sync(rclone, bucket, tmp_path):
    up, down = tree.make(tmp_path / "up", 2000), tmp_path / "down"
    rclone.run("sync", "--transfers", 16, up, f"box:{bucket}/tree")
    rclone.run("check", "--download", up, f"box:{bucket}/tree")
    tree.change(up)
    rclone.run("check", up, f"box:{bucket}/tree", status=1)
    rclone.run("sync", "--transfers", 16, up, f"box:{bucket}/tree")
    rclone.run("copy", "--transfers", 16, f"box:{bucket}/tree", down)
    tree.assert_same(up, down)


def work_through(rclone, s3, bucket, tmp_path):
    """Bucket made by rclone, files up, listed, checked, copied inside, down, purged."""
    up = tree.make(tmp_path / "up", 60, large=3)
    rclone.run("mkdir", f"box:{bucket}")
    rclone.run("sync", "--s3-upload-cutoff", "1M", "--s3-chunk-size", "5M", up, f"box:{bucket}/a")
    rclone.run("check", up, f"box:{bucket}/a")
    listed = json.loads(rclone.run("lsjson", "--recursive", "--files-only", f"box:{bucket}/a"))
    assert {entry["Path"]: entry["Size"] for entry in listed} == \
        {str(path.relative_to(up)): path.stat().st_size for path in tree.files_of(up)}
    rclone.run("copy", f"box:{bucket}/a", f"box:{bucket}/b")
    rclone.run("move", f"box:{bucket}/b", f"box:{bucket}/c")
    rclone.run("copy", f"box:{bucket}/c", tmp_path / "down")
    tree.assert_same(up, tmp_path / "down")
    assert rclone.run("lsf", f"box:{bucket}") == "a/\nc/\n"
    rclone.run("purge", f"box:{bucket}")
    assert bucket not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]


@pytest.mark.parametrize("provider", ["Other", "Minio", "Ceph"])
def test_providers(rclone_as, s3, provider, tmp_path):
    work_through(rclone_as(provider), s3, f"as-{provider.lower()}", tmp_path)


def test_virtual_hosts(rclone_as, new_box, tmp_path):
    """As AWS itself rclone puts the bucket into the host's name. No name server knows those names,
    so the box is told to be rclone's proxy: what comes is a request with the full address in it."""
    box = new_box(args=["--api-domain", "s3.box.test"])
    rclone = rclone_as("AWS")
    rclone.env.update({"HTTP_PROXY": box.url, "NO_PROXY": "", "RCLONE_CONFIG_BOX_ENDPOINT": "http://s3.box.test",
                       "RCLONE_CONFIG_BOX_ACCESS_KEY_ID": box.admin.access_key,
                       "RCLONE_CONFIG_BOX_SECRET_ACCESS_KEY": box.admin.secret_key})
    work_through(rclone, box.s3(), "as-aws", tmp_path)


def test_streams(rclone, bucket, tmp_path):
    """rcat does not know the size; cat reads ranges."""
    file = tree.random_file(tmp_path / "file", (21 << 20) + 5)
    with open(file, "rb") as stdin:
        rclone.run("rcat", "--s3-chunk-size", "5M", f"box:{bucket}/rcat", stdin=stdin)
    rclone.run("copyto", f"box:{bucket}/rcat", tmp_path / "down")
    assert tree.digest_of(file) == tree.digest_of(tmp_path / "down")
    with open(file, "rb") as whole:
        whole.seek(5 << 20)
        expected = whole.read(1000).hex()
    got = subprocess.run([*rclone.command, "cat", "--offset", str(5 << 20), "--count", "1000",
                          f"box:{bucket}/rcat"], env=rclone.env, capture_output=True, check=True)
    assert got.stdout.hex() == expected
    rclone.run("touch", "--timestamp", "2020-01-01T00:00:00", f"box:{bucket}/rcat")
    assert "2020-01-01" in rclone.run("lsl", f"box:{bucket}/rcat")


def test_an_upload_that_was_cut(rclone, s3, bucket, tmp_path):
    """Killed in mid-upload: nothing is visible, cleanup takes the rest away."""
    file = tree.random_file(tmp_path / "file", 40 << 20)
    cut = rclone.start("copyto", "--bwlimit", "8M", "--s3-chunk-size", "5M", "--s3-upload-cutoff", "5M", file,
                       f"box:{bucket}/cut")
    deadline = time.monotonic() + 20
    while not s3.list_multipart_uploads(Bucket=bucket).get("Uploads"):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    time.sleep(1)
    cut.send_signal(signal.SIGKILL)
    cut.communicate()
    assert rclone.run("lsf", f"box:{bucket}") == ""
    assert "cut" in rclone.run("backend", "list-multipart-uploads", f"box:{bucket}")
    rclone.run("backend", "cleanup", "-o", "max-age=0s", f"box:{bucket}")
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")
    rclone.run("copyto", "--s3-chunk-size", "5M", file, f"box:{bucket}/cut")
    rclone.run("check", "--download", file.parent, f"box:{bucket}", "--include", "/cut", status=None)
    rclone.run("copyto", f"box:{bucket}/cut", tmp_path / "down")
    assert tree.digest_of(file) == tree.digest_of(tmp_path / "down")


def test_versions(rclone, s3, bucket, tmp_path):
    rclone.run("backend", "versioning", f"box:{bucket}", "Enabled", status=None)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for text in ("one", "two"):
        (tmp_path / "k").write_text(text)
        rclone.run("copy", tmp_path / "k", f"box:{bucket}")
    listed = rclone.run("lsf", "--s3-versions", f"box:{bucket}").split()
    assert len(listed) == 2 and "k" in listed
    old, = set(listed) - {"k"}
    assert rclone.run("cat", "--s3-versions", f"box:{bucket}/{old}") == "one"
