"""s3cmd: its own signer (versions 4 and 2), its own idea of names, parts and settings."""
import tree


def test_files(s3cmd, s3, bucket, tmp_path):
    where, file = f"s3://{bucket}", tree.random_file(tmp_path / "file", 17 << 20)
    s3cmd.run("put", "--multipart-chunk-size-mb=5", file, f"{where}/large")
    s3cmd.run("get", f"{where}/large", tmp_path / "down")
    assert tree.digest_of(file) == tree.digest_of(tmp_path / "down")
    (tmp_path / "small").write_text("hello")
    s3cmd.run("put", "--add-header=x-amz-meta-color: blue", "--mime-type=text/plain", tmp_path / "small",
              f"{where}/a b+c/käse")
    head = s3.head_object(Bucket=bucket, Key="a b+c/käse")
    assert (head["ContentType"], head["Metadata"]["color"]) == ("text/plain", "blue")
    s3cmd.run("cp", f"{where}/large", f"{where}/copy")
    s3cmd.run("mv", f"{where}/copy", f"{where}/moved")
    assert s3cmd.run("ls", where).split()[-1] == f"{where}/moved"
    assert "MD5" in s3cmd.run("info", f"{where}/moved")
    assert "Location" in s3cmd.run("info", where)
    s3cmd.run("modify", "--add-header=Cache-Control: no-cache", f"{where}/moved")
    assert s3.head_object(Bucket=bucket, Key="moved")["CacheControl"] == "no-cache"
    s3cmd.run("setacl", "--acl-private", f"{where}/moved")
    assert s3cmd.run("du", where).split()[0] == str(2 * (17 << 20) + 5)
    s3cmd.run("del", "--recursive", "--force", where)
    assert s3cmd.run("ls", "--recursive", where) == ""


def test_sync(s3cmd, bucket, tmp_path):
    up, down = tree.make(tmp_path / "up", 300, large=3), tmp_path / "down"
    s3cmd.run("sync", f"{up}/", f"s3://{bucket}/tree/")
    tree.change(up)
    s3cmd.run("sync", "--delete-removed", f"{up}/", f"s3://{bucket}/tree/")
    assert s3cmd.run("ls", "--recursive", f"s3://{bucket}").count("\n") == len(tree.files_of(up))
    down.mkdir()
    s3cmd.run("sync", f"s3://{bucket}/tree/", f"{down}/")
    tree.assert_same(up, down)


def test_buckets(s3cmd, s3):
    name = f"made-by-s3cmd-{s3cmd.name}"
    s3cmd.run("mb", f"s3://{name}")
    assert f"s3://{name}" in s3cmd.run("ls")
    s3cmd.run("rb", f"s3://{name}")
    assert name not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]


def test_uploads(s3cmd, s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    assert upload in s3cmd.run("multipart", f"s3://{bucket}")
    s3cmd.run("abortmp", f"s3://{bucket}/k", upload)
    assert not s3.list_multipart_uploads(Bucket=bucket).get("Uploads")
