"""A copy shares the body of its source: ranges as parts, readers while the source goes, space."""
import json
import random
import threading
import time
from pathlib import Path

import pytest

import box as box_module
from uploads import MIB, PART, Upload, body_of, etag_of_parts, make, md5, read

BODIES = [body_of(PART, 11), body_of(PART + 1, 12), body_of(PART, 13), body_of(PART, 14)]
WHOLE = b"".join(BODIES)
SEGMENT = 16 * MIB  # what box.py sets


def copy(s3, source, key="copy"):
    return s3.copy_object(Bucket=source["Bucket"], Key=key, CopySource=source)


@pytest.fixture
def source(s3, bucket):
    s3.put_object(Bucket=bucket, Key="source", Body=b"hello")
    return {"Bucket": bucket, "Key": "source"}


def test_of_parts_while_the_source_goes(s3, bucket):
    """S3-COPY-1. 20 MiB in parts: copied, the source deleted while readers run. No reader sees a wrong byte."""
    make(s3, bucket, "source", BODIES)
    wrong, stop, counts = [], threading.Event(), []

    def reader(key, seed):
        dice, count = random.Random(seed), 0
        while not stop.is_set():
            first = dice.randrange(len(WHOLE))
            last = min(len(WHOLE), first + dice.randrange(1, 6 * MIB)) - 1
            try:
                got = read(s3, bucket, key, Range=f"bytes={first}-{last}")
            except s3.exceptions.NoSuchKey:
                break
            count += 1
            if got != WHOLE[first:last + 1]:
                wrong.append((key, first, last))
        counts.append(count)

    copy(s3, {"Bucket": bucket, "Key": "source"})
    threads = [threading.Thread(target=reader, args=(key, seed)) for seed, key in
               enumerate(("source", "source", "copy", "copy"))]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    s3.delete_object(Bucket=bucket, Key="source")
    for turn in range(20):  # new bytes go where the old might have been freed
        s3.put_object(Bucket=bucket, Key=f"new{turn}", Body=bytes(MIB))
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong and min(counts) > 0
    assert read(s3, bucket, "copy") == WHOLE
    assert s3.head_object(Bucket=bucket, Key="copy")["ETag"] == etag_of_parts(BODIES)


def test_parts_from_ranges(s3, bucket):
    """Within a body, over the edges of parts, of a small object, of a whole one."""
    make(s3, bucket, "parts", BODIES)
    s3.put_object(Bucket=bucket, Key="large", Body=WHOLE[:6 * MIB])
    s3.put_object(Bucket=bucket, Key="small", Body=b"hello")
    pieces = [("large", 1, PART), ("parts", 7, PART + 6), ("parts", PART - 5, 2 * PART + 100),
              ("parts", 0, len(WHOLE) - 1), ("large", 262_144, 262_143 + PART), ("small", 1, 3)]
    bodies = {"parts": WHOLE, "large": WHOLE[:6 * MIB], "small": b"hello"}
    upload, expected = Upload(s3, bucket), []
    for number, (key, first, last) in enumerate(pieces, 1):
        expected.append(bodies[key][first:last + 1])
        answer = upload.copy(number, {"Bucket": bucket, "Key": key}, CopySourceRange=f"bytes={first}-{last}")
        assert answer["CopyPartResult"]["ETag"] == md5(expected[-1]) and answer["CopyPartResult"]["LastModified"]
    for key in bodies:
        s3.delete_object(Bucket=bucket, Key=key)
    assert upload.complete()["ETag"] == etag_of_parts(expected)
    assert read(s3, bucket) == b"".join(expected)
    for number, piece in enumerate(expected, 1):
        assert read(s3, bucket, PartNumber=number) == piece


def test_whole_objects_as_parts(s3, bucket):
    bodies = [BODIES[0], b"", b"hello"]
    upload = Upload(s3, bucket)
    for number, body in enumerate(bodies[:1] + bodies[2:], 1):
        s3.put_object(Bucket=bucket, Key=f"source{number}", Body=body)
        upload.copy(number, {"Bucket": bucket, "Key": f"source{number}"})
    upload.complete()
    assert read(s3, bucket) == BODIES[0] + b"hello"
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    upload = Upload(s3, bucket, "of-empty")
    upload.copy(1, {"Bucket": bucket, "Key": "empty"})
    upload.complete()
    assert read(s3, bucket, "of-empty") == b""


@pytest.mark.parametrize("text", ["bytes=0-5", "bytes=5-9", "bytes=3-2", "bytes=0-", "bytes=-3", "0-3", "bytes=a-b",
                                  "bytes=0-1,3-4", "bytes=0-99999999999999999999", ""])
def test_bad_ranges(raw, s3, source, text):
    """Of an object of five bytes."""
    upload = Upload(s3, source["Bucket"])
    path, query = upload.target(partNumber=1)
    answer = raw.request("PUT", path, query, headers=[("x-amz-copy-source", f"{source['Bucket']}/source"),
                                                      ("x-amz-copy-source-range", text)])
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    assert upload.numbers() == []


def test_a_copied_part_replaces_and_is_replaced(s3, bucket, source):
    upload = Upload(s3, bucket)
    upload.put(1, b"put")
    upload.copy(1, source)
    assert [part["Size"] for part in upload.list()["Parts"]] == [5]
    upload.put(1, b"again")
    upload.copy(2, source)
    s3.delete_object(**source)
    upload.complete([upload.parts[2]])
    assert read(s3, bucket) == b"hello"


def test_copy_in_a_circle_at_once(s3, bucket):
    """Two keys are locked by each copy, in both orders; none waits for ever."""
    for key in "ab":
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode() * 100_000)

    def turn(source, target):
        for _ in range(50):
            copy(s3, {"Bucket": bucket, "Key": source}, target)

    threads = [threading.Thread(target=turn, args=pair) for pair in ("ab", "ba", "ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert read(s3, bucket, "a") in (b"a" * 100_000, b"b" * 100_000)


def live(box):
    """Bytes of bodies that something refers to, in segments."""
    return json.loads(box_module.run("status", "--data", box.data, "--json").stdout)["live_bytes"]


def on_disk(box):
    """Bytes below bodies/, holes not counted; the open segment is laid out ahead."""
    return sum(path.stat().st_blocks * 512 for path in Path(box.data, "bodies").rglob("*") if path.is_file())


def wait_until_free(box):
    deadline = time.monotonic() + 60
    while live(box) > 0 or on_disk(box) > SEGMENT:
        assert time.monotonic() < deadline, (live(box), on_disk(box))
        time.sleep(0.1)


def test_space(new_box):
    """A copy takes none; it comes back when the last of those who share it is gone."""
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="space")
    make(s3, "space", "source", BODIES)
    full = live(box)
    assert len(WHOLE) <= full < len(WHOLE) + MIB
    copy(s3, {"Bucket": "space", "Key": "source"})
    upload = Upload(s3, "space", "part")
    upload.copy(1, {"Bucket": "space", "Key": "copy"}, CopySourceRange=f"bytes=9-{PART - 1}")
    assert live(box) == full
    for key in ("source", "copy"):
        assert read(s3, "space", key) == WHOLE
        s3.delete_object(Bucket="space", Key=key)
    upload.complete()
    while live(box) > PART + MIB:  # of the four bodies the one that the part has a window of
        time.sleep(0.1)
    assert read(s3, "space", "part") == BODIES[0][9:]
    s3.delete_object(Bucket="space", Key="part")
    wait_until_free(box)


@pytest.mark.parametrize("way", ["abort", "replace", "not named", "overwrite"])
def test_space_of_parts(new_box, way):
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="space")
    upload = Upload(s3, "space")
    for number in (1, 2, 3):
        upload.put(number, BODIES[number])
    assert live(box) >= 3 * PART
    if way == "abort":
        upload.abort()
    elif way == "replace":
        for number in (1, 2, 3):
            upload.put(number, b"x")
    elif way == "not named":
        upload.put(4, b"x")
        upload.complete([upload.parts[4]])
    else:
        upload.complete()
        s3.put_object(Bucket="space", Key="k", Body=b"x")
    wait_until_free(box)
