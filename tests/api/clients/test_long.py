"""Campaigns of minutes, for `make check-long`: a whole /usr through rclone, s3cmd and restic, and an
upload of 5 GiB that is cut and resumed."""
import hashlib
import threading
import time

import pytest
from botocore.exceptions import BotoCoreError, ClientError

import box as box_module
import tree
from uploads import MIB, PART, Upload, body_of, etag_of_parts

pytestmark = pytest.mark.long
FILES = 22_000
LONG_S = 3600


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """With segments of the size that a box has."""
    made = box_module.Box(tmp_path_factory.mktemp("box"), settings=())
    made.start()
    yield made
    made.close()


@pytest.fixture(scope="module")
def usr(tmp_path_factory):
    """Files of /usr, copied so that they may be changed: FILES of them, at most 2 GiB."""
    folder, count, size = tmp_path_factory.mktemp("usr"), 0, 0
    for path in tree.files_of("/usr"):
        length = path.stat().st_size
        if length > 50 * MIB or size + length > 2048 * MIB:
            continue
        if count == FILES:
            break
        target = folder / path.relative_to("/usr")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
        count, size = count + 1, size + length
    if count < FILES:
        tree.make(folder / "more", FILES - count, seed=9)
    return folder


def test_rclone(rclone_as, bucket, usr, tmp_path):
    rclone = rclone_as("Other")
    fast = ["--transfers", 16, "--checkers", 16]
    rclone.run("sync", *fast, usr, f"box:{bucket}", timeout=LONG_S)
    rclone.run("check", *fast, usr, f"box:{bucket}", timeout=LONG_S)
    tree.change(usr, seed=3)
    rclone.run("sync", *fast, usr, f"box:{bucket}", timeout=LONG_S)
    rclone.run("check", "--download", *fast, usr, f"box:{bucket}", timeout=LONG_S)
    rclone.run("sync", *fast, f"box:{bucket}", tmp_path / "down", timeout=LONG_S)
    tree.assert_same(usr, tmp_path / "down")


@pytest.mark.parametrize("s3cmd", ["v4"], indirect=True)
def test_s3cmd(s3cmd, bucket, usr, tmp_path):
    (tmp_path / "down").mkdir()
    s3cmd.run("sync", f"{usr}/", f"s3://{bucket}/usr/", timeout=LONG_S)
    tree.change(usr, seed=4)
    s3cmd.run("sync", "--delete-removed", f"{usr}/", f"s3://{bucket}/usr/", timeout=LONG_S)
    s3cmd.run("sync", f"s3://{bucket}/usr/", f"{tmp_path / 'down'}/", timeout=LONG_S)
    tree.assert_same(usr, tmp_path / "down")


def test_restic(restic, usr, tmp_path):
    restic.run("init")
    restic.run("backup", usr, timeout=LONG_S)
    tree.change(usr, seed=5)
    restic.run("backup", usr, timeout=LONG_S)
    restic.run("check", "--read-data", timeout=LONG_S)
    restic.run("forget", "--keep-last", "1", "--prune", timeout=LONG_S)
    restic.run("check", "--read-data", timeout=LONG_S)
    restic.run("restore", "latest", "--target", tmp_path / "down", timeout=LONG_S)
    tree.assert_same(usr, tmp_path / "down" / usr.relative_to("/"))


def part_of_5_gib(number):
    """64 MiB that are others for each number, quickly made."""
    return number.to_bytes(8, "big") * (8 * MIB)


def put_parts(upload, numbers, threads=4):
    """Threads that put the parts until none is left, or the box is gone."""
    numbers = list(numbers)

    def run():
        try:
            while numbers:
                number = numbers.pop()
                upload.put(number, part_of_5_gib(number))
        except (BotoCoreError, ClientError):
            return  # the box was killed

    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    return workers


def test_5_gib_cut_and_resumed(new_box):
    """Killed in mid-upload: the parts that were answered are there, the rest is put, the whole is right."""
    box = new_box(settings=())
    s3 = box.s3()
    s3.create_bucket(Bucket="five-gib")
    upload = Upload(s3, "five-gib")
    workers = put_parts(upload, range(1, 81))
    while len(upload.parts) < 20:
        time.sleep(0.1)
    box.kill()
    answered = set(upload.parts)
    for worker in workers:
        worker.join()
    box.start()
    upload.s3 = s3 = box.s3()
    there = {part["PartNumber"] for part in upload.list()["Parts"]}
    assert answered <= there
    upload.parts = {part["PartNumber"]: {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}
                    for part in upload.list()["Parts"]}
    for worker in put_parts(upload, sorted(set(range(1, 81)) - there)):
        worker.join()
    upload.complete()
    body = s3.get_object(Bucket="five-gib", Key="k")["Body"]
    for number in range(1, 81):
        assert body.read(64 * MIB) == part_of_5_gib(number), number
    assert body.read() == b""
    s3.delete_object(Bucket="five-gib", Key="k")


def test_10_000_parts(s3, bucket):
    """As many as an object can have; each a window of one body."""
    source = body_of(PART)
    s3.put_object(Bucket=bucket, Key="source", Body=source)
    upload = Upload(s3, bucket)
    numbers = list(range(1, 10_001))

    def run():
        while numbers:
            upload.copy(numbers.pop(), {"Bucket": bucket, "Key": "source"})

    workers = [threading.Thread(target=run) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert upload.complete()["ETag"] == etag_of_parts([source] * 10_000)
    assert s3.head_object(Bucket=bucket, Key="k")["ContentLength"] == 10_000 * PART
    last = s3.get_object(Bucket=bucket, Key="k", PartNumber=10_000)["Body"].read()
    assert hashlib.md5(last).digest() == hashlib.md5(source).digest()
    s3.delete_object(Bucket=bucket, Key="source")
    s3.delete_object(Bucket=bucket, Key="k")
