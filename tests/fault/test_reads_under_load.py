"""What is read, copied and listed is right while everything moves: clients overwrite, delete, copy and
complete uploads, the sweeper punches holes, and compaction is set to run all the time. Readers, some
of them slow, check every byte. A body is a function of its number, which is in its metadata, and has
no zero byte, so that a hole, an old or a foreign byte is seen wherever it is.

Seen to fail (answers that are cut, as their checksums are wrong) with a sweeper that punches without
waiting for readers; with old places that are freed while somebody reads there; with parts that are
not pinned while their place changes.
"""
import json
import random
import threading
import time

import pytest

import box as box_module
from client import Client, Cut, NotSent

MIB = 1 << 20
SETTINGS = ("--store-segment-bytes", "16M", "--compact-below-percent", "50", "--compact-wait-seconds", "0",
            "--compact-bytes-per-second", "0")
POOL = bytes(byte or 7 for byte in random.Random(52).randbytes(24 * MIB))
SIZES = (1000, 70_000, 200_000, 700_000, 3 * MIB)
PART = 5 * MIB
LARGE = 12 * MIB  # more than fits into the sockets between a slow reader and the box
WRITERS, READERS, SLOW_READERS = 3, 3, 3
KEYS = 10  # of each writer
MOVED_MIN = 5


def body_of(number, size):
    start = number * 7919 % (len(POOL) - size)
    return POOL[start:start + size]


def check(answer, wanted=(200,)):
    """The number of the body that came, None without one."""
    if answer.status == 404 and 404 in wanted:
        return None
    assert answer.status in wanted, answer
    number = int(answer.headers["x-amz-meta-number"])
    first, size = 0, len(answer.body)
    if answer.status == 206:
        first = int(answer.headers["content-range"].split(" ")[1].split("-")[0])
        size = int(answer.headers["content-range"].split("/")[1])
    whole = body_of(number, size)
    if answer.body != whole[first:first + len(answer.body)]:
        bad = next(at for at, byte in enumerate(answer.body) if byte != whole[first + at])
        raise AssertionError(f"body {number} of {size}: {answer.body[bad:bad + 32].hex()} at {first + bad}")
    return number


class Key:
    """Written by one writer; whoever reads it must find one of the numbers that it may hold."""

    def __init__(self, path, deletable):
        self.path, self.deletable = path, deletable
        self.acknowledged = self.begun = 0  # rising; 0 = nothing yet


class Task(threading.Thread):
    def __init__(self, test, number):
        super().__init__(daemon=True)
        self.test, self.random, self.error, self.steps = test, random.Random(number), None, 0
        self.client = Client(test.box)

    def run(self):
        try:
            while not self.test.over.is_set():
                self.step()
                self.steps += 1
        except Exception as error:  # told by Test.run
            if not (self.test.killed and isinstance(error, (Cut, NotSent))):
                self.error = error
                self.test.over.set()
        finally:
            self.client.close()


class Writer(Task):
    def __init__(self, test, number):
        super().__init__(test, number)
        self.keys = test.keys[number]

    def step(self):
        key = self.random.choice(self.keys)
        chance = self.random.random()
        if key.deletable and key.acknowledged and chance < 0.5:
            assert self.client.delete(key.path).status == 204
        elif key.deletable and chance < 0.6:
            source = self.random.choice([each for each in self.keys if each is not key])
            answer = self.client.request("PUT", key.path, headers=[("x-amz-copy-source", source.path)])
            assert answer.status in (200, 404) and b"<Error>" not in answer.body or answer.code == "NoSuchKey"
        elif chance < 0.65:
            self.put(key, LARGE)
        else:
            self.put(key, self.random.choice(SIZES))

    def put(self, key, size):
        number = key.begun = self.test.new_number()
        meta = [("x-amz-meta-number", str(number))]
        body = body_of(number, size)
        if size > 2 * PART:
            answer = self.complete(key, body, meta)
        else:
            answer = self.client.put(key.path, body, meta)
        assert answer.ok and b"<Error>" not in answer.body, answer
        key.acknowledged = number

    def complete(self, key, body, meta):
        upload, = self.client.request("POST", key.path, "uploads=", headers=meta).texts("UploadId")
        xml = ""
        for part, at in enumerate(range(0, len(body), PART), 1):
            answer = self.client.request("PUT", key.path, f"partNumber={part}&uploadId={upload}",
                                         body=body[at:at + PART])
            assert answer.ok, answer
            xml += f"<Part><PartNumber>{part}</PartNumber><ETag>{answer.headers['etag']}</ETag></Part>"
        xml = f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>".encode()
        return self.client.request("POST", key.path, f"uploadId={upload}", body=xml)


class Reader(Task):
    def step(self):
        key = self.random.choice(self.random.choice(self.test.keys))
        before = key.acknowledged
        if self.random.random() < 0.1:
            self.list()
        elif self.random.random() < 0.5:
            self.judge(key, before, check(self.client.get(key.path), (200, 404)))
        else:
            first = self.random.randrange(1000)
            span = f"bytes={first}-{first + self.random.randrange(1, 600_000)}"
            answer = self.client.request("GET", key.path, headers=[("range", span)])
            if answer.status != 416:  # shorter than it begins
                self.judge(key, before, check(answer, (206, 404)))

    def judge(self, key, before, number):
        if not key.deletable:
            assert number or not before, f"{key.path} is gone"
            assert not number or before <= number <= key.begun, (key.path, before, number, key.begun)

    def list(self):
        must = {key.path.split("/")[2] for key in self.test.all_keys() if not key.deletable and key.acknowledged}
        listed = list(self.client.list(self.test.bucket))
        assert listed == sorted(listed) and must <= set(listed), must - set(listed)


class SlowReader(Reader):
    """Reads for seconds while what it reads is deleted, or moves."""

    def step(self):
        key = self.random.choice(self.random.choice(self.test.keys))
        receive, before = self.client.receive, key.acknowledged
        self.client.receive = lambda: (time.sleep(self.random.random() * 0.1), receive())[1]
        try:
            self.judge(key, before, check(self.client.get(key.path), (200, 404)))
        finally:
            self.client.receive = receive


class Test:
    __test__ = False  # none of pytest's

    def __init__(self, box, client):
        self.box, self.client, self.bucket = box, client, client.make_bucket("load")
        self.lock, self.last = threading.Lock(), 0
        self.keys = [[Key(f"/{self.bucket}/w{number}-{each}", each % 2 == 0) for each in range(KEYS)]
                     for number in range(WRITERS)]

    def new_number(self):
        with self.lock:
            self.last += 1
            return self.last

    def all_keys(self):
        return [key for keys in self.keys for key in keys]

    def run(self, seconds, kill=False):
        """Returns how many steps were made: writes, reads."""
        self.over, self.killed = threading.Event(), False
        writers = [Writer(self, number) for number in range(WRITERS)]
        readers = [Reader(self, 100 + number) for number in range(READERS)]
        readers += [SlowReader(self, 200 + number) for number in range(SLOW_READERS)]
        for task in (*writers, *readers):
            task.start()
        self.over.wait(seconds)
        if kill:
            self.killed = True
            self.box.kill()
        self.over.set()
        for task in (*writers, *readers):
            task.join(60)
            if task.error:
                raise task.error
            assert not task.is_alive()
        return sum(task.steps for task in writers), sum(task.steps for task in readers)

    def check_all(self):
        """What is found is what must be there from now on."""
        for key in self.all_keys():
            number = check(self.client.get(key.path), (200, 404)) or 0
            assert key.deletable or key.acknowledged <= number <= key.begun, key.path
            key.acknowledged = key.begun = number

    def scrub(self):
        done = box_module.run("scrub", "--data", self.box.data, "--json")
        assert done.returncode == 0 and json.loads(done.stdout)["rot"] == 0, done.stdout


@pytest.fixture
def test(make_box, connect):
    box = make_box(settings=SETTINGS)
    return Test(box, connect(box))


def test_reads_under_load(test, long):
    writes, reads = test.run(600 if long else 7)
    client = test.client
    moved = client.metric("valise_bodies_moved_total")
    print(f"\n{writes} writes, {reads} reads, {moved} bodies moved, {client.metric('valise_segment_files')} files")
    assert moved > MOVED_MIN
    for name in ("rot_found", "sweep_errors", "compact_errors"):
        assert client.metric(f"valise_{name}_total") == 0, test.box.stderr()[-2000:]
    test.check_all()
    test.scrub()


def test_killed_while_moving(test, long):
    moved = 0
    for _ in range(100 if long else 3):
        test.run(1.5, kill=True)
        test.box.start()
        test.check_all()
        moved += test.client.metric("valise_bodies_moved_total")
        assert test.client.metric("valise_sweep_errors_total") == 0, test.box.stderr()[-2000:]
    print(f"\n{moved} bodies moved right after a start")
    test.scrub()
