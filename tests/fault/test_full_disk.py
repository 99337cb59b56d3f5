"""ACC-48, 49, 55, 56: no space, no inodes, a disk that went read-only, no descriptors. Writes are
refused with the right words, reads and deletes go on, the box starts on the full disk, and takes
writes again once there is room. Nothing that was acknowledged is lost, ever.

Seen to fail with a reserve that is not given up before the store is opened.
"""
import os
import time
from pathlib import Path

import pytest

from client import Cut, NotSent, until
from disk import Disk
from ledger import Ledger, body_of
from load import Load

MIB = 1 << 20
SIZES = (100, 5000, 60_000, 200_000, 2 * MIB)
SETTINGS = ("--store-segment-bytes", "16M", "--store-reserve-bytes", "64M", "--store-memtable-bytes", "4M")
RECOVERY_S = 10


@pytest.fixture
def disk(need):
    need("mkfs.ext4", "losetup", "mount", root=True)
    with Disk(320 * MIB) as made:
        yield made


@pytest.fixture
def box(make_box, disk):
    made = make_box(settings=SETTINGS, data=disk.path / "data")
    yield made
    made.kill()  # before the disk goes


@pytest.fixture
def ledger(box, connect):
    """A bucket with objects of every size in it."""
    client = connect(box)
    made = Ledger(client.make_bucket("full"))
    for number in range(20):
        assert made.write(client, f"old{number}", body_of(number, SIZES[number % len(SIZES)])).ok
    return made


def assert_full(client, ledger):
    """Every kind of write is refused as StorageFull, reads and deletes go on."""
    for size in SIZES:
        answer = client.put(ledger.path("refused"), body_of(777, size))
        assert (answer.status, answer.code) == (507, "StorageFull"), (size, answer)
    assert client.request("PUT", "/another").code == "StorageFull"
    assert client.request("POST", ledger.path("multi"), "uploads=").code == "StorageFull"
    status, health = client.health()
    assert status == 503 and health["reasons"][0].startswith("disk-full: "), health
    ledger.check(client)
    key = next(key for key, body in ledger.bodies().items() if len(body) > 65536)
    assert ledger.write(client, key, None).status == 204
    key = next(key for key, body in ledger.bodies().items() if len(body) < 65536)
    assert ledger.write(client, key, None).status == 204
    ledger.check(client)


def assert_takes_writes(client, ledger):
    assert until(lambda: client.health()[0] == 200, RECOVERY_S), client.health()
    for number, size in enumerate(SIZES):
        answer = ledger.write(client, f"new{number}", body_of(500 + number, size))
        assert answer.ok, answer
    ledger.check(client)


def fill_by_clients(client, ledger, disk):
    for number in range(200):
        answer = ledger.write(client, f"fill{number}", body_of(1000 + number, 4 * MIB))
        if not answer.ok:
            break
    assert (answer.status, answer.code) == (507, "StorageFull"), answer
    assert disk.free_bytes() > 8 * MIB
    assert until(lambda: client.health()[0] == 503)


def test_high_water_mark(box, connect, disk, ledger):
    """The disk fills up with what clients store: refused before its end is reached."""
    client = connect(box)
    fill_by_clients(client, ledger, disk)
    assert_full(client, ledger)
    box.restart()  # it may have room again, now that its log is in tables
    ledger.check(client)
    fill_by_clients(client, ledger, disk)
    assert_full(client, ledger)
    for key in [key for key in ledger.bodies() if key.startswith("fill")][:20]:
        assert ledger.write(client, key, None).status == 204
    assert_takes_writes(client, ledger)


@pytest.mark.parametrize("ending", ("restart", "kill"))
def test_no_byte_left(box, connect, disk, ledger, ending):
    """Somebody else takes the disk, to its last block, while clients write."""
    client = connect(box)
    with Load(box, ledger.bucket) as load:
        until(lambda: load.count(200) > 50)
        disk.fill()
        assert until(lambda: load.count(507) > 50), load.answers()[-5:]
        disk.fill()  # what the reserve gave
        time.sleep(0.5)
    assert {status for _, _, status in load.answers()} <= {200, 204, 507, 500, 503}, box.stderr()[-1000:]
    ledger.may.update(load.ledger().may)
    assert box.running()
    until(lambda: client.health()[0] == 503)
    ledger.check(client)
    if ending == "kill":
        box.kill()
    else:
        assert box.stop() == 0
    disk.fill()
    box.start()
    assert_full(client, ledger)
    disk.give_back()
    assert_takes_writes(client, ledger)


def test_part_of_an_upload(box, connect, disk, ledger):
    """An upload whose disk fills up: its part is refused, and taken once there is room."""
    client, key = connect(box), "multi"
    path, body = ledger.path(key), body_of(3, 7 * MIB)
    upload, = client.request("POST", path, "uploads=").texts("UploadId")
    first = client.request("PUT", path, f"partNumber=1&uploadId={upload}", body=body[:5 * MIB])
    assert first.ok
    disk.fill(leave=MIB)
    assert until(lambda: client.health()[0] == 503)
    query = f"partNumber=2&uploadId={upload}"
    refused = client.request("PUT", path, query, body=body[5 * MIB:])
    assert (refused.status, refused.code) == (507, "StorageFull"), refused
    box.restart()
    disk.give_back()
    assert until(lambda: client.health()[0] == 200, RECOVERY_S)
    second = client.request("PUT", path, query, body=body[5 * MIB:])
    xml = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{part.headers['etag']}</ETag></Part>"
                  for number, part in enumerate((first, second), 1))
    done = client.request("POST", path, f"uploadId={upload}",
                          body=f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>".encode())
    assert done.ok and b"<Error>" not in done.body, done
    ledger.acknowledged(key, body)
    ledger.check(client)


def test_no_inode_left(make_box, connect, need):
    """What needs no new file goes on; what does is refused, and nothing is lost."""
    need("mkfs.ext4", "losetup", "mount", root=True)
    with Disk(512 * MIB, "-N", 128) as disk:
        box = make_box(settings=SETTINGS, data=disk.path / "data")
        try:
            run_out_of_inodes(box, connect(box), disk)
        finally:
            box.kill()


def run_out_of_inodes(box, client, disk):
    ledger = Ledger(client.make_bucket("full"))
    assert ledger.write(client, "before", body_of(1, 200_000)).ok
    disk.take_inodes()
    statuses = set()
    for number in range(300):  # more than a memtable and a segment hold
        answer = ledger.write(client, f"k{number % 50}", body_of(number, SIZES[number % len(SIZES)]))
        assert answer is not None, box.stderr()[-2000:]
        statuses.add(answer.status)
    assert statuses <= {200, 500, 503, 507} and statuses & {500, 503, 507}, statuses
    ledger.check(client)
    box.kill()
    disk.give_back_inodes()
    box.start()
    ledger.check(client)
    assert_takes_writes(client, ledger)
    assert box.stop() == 0
    disk.take_inodes()
    try:
        box.start()  # it may need a file for that: then it says what is wrong
    except AssertionError as refused:
        assert "No space left" in str(refused) or "full" in str(refused), refused
    disk.give_back_inodes()
    if not box.running():
        box.start()
    ledger.check(client)


def test_disk_becomes_read_only(make_box, connect, need):
    """ext4 found an error and remounted itself read-only."""
    need("mkfs.ext4", "losetup", "mount", root=True)
    with Disk(320 * MIB, mount_options="errors=remount-ro") as disk:
        trigger = Path("/sys/fs/ext4") / Path(disk.device()[0]).name / "trigger_fs_error"
        if not os.access(trigger, os.W_OK):
            pytest.skip(f"needs {trigger}")
        box = make_box(settings=SETTINGS, data=disk.path / "data")
        try:
            go_read_only(box, connect(box), trigger)
        finally:
            box.kill()


def go_read_only(box, client, trigger):
    ledger = Ledger(client.make_bucket("full"))
    with Load(box, "full") as load:
        until(lambda: load.count(200) > 50)
        trigger.write_text("read-only, for a test")
        at = time.time()
        assert until(lambda: load.count(503) > 20), load.answers()[-5:]
    statuses = {status for asked, _, status in load.answers() if asked > at}
    assert 503 in statuses and statuses <= {500, 503}, statuses
    ledger = load.ledger()
    for size in SIZES:
        answer = client.put("/full/refused", body_of(5, size))
        assert (answer.status, answer.code) == (503, "ServiceUnavailable"), answer
    status, health = client.health()
    assert status == 503 and health["reasons"][0].startswith("store-read-only: "), health
    ledger.check(client)


def test_few_descriptors(make_box, connect, need):
    """ACC-56: 64 descriptors, and more clients than that: those who get in are served, the others are
    told 503, and the store has what it needs to write on (it begins new files all the time)."""
    need("prlimit")
    box = make_box(wrap=("prlimit", "--nofile=64:64", "--"), settings=SETTINGS)
    client = connect(box)
    ledger = Ledger(client.make_bucket("few"))
    for number in range(20):
        assert ledger.write(client, f"k{number}", body_of(number, SIZES[number % len(SIZES)])).ok
    crowd = [connect(box, timeout=5) for _ in range(100)]
    for each in crowd:
        each.connect()
    for number in range(200):
        answer = ledger.write(client, f"k{number % 40}", body_of(100 + number, 60_000))
        assert answer.ok, (answer, box.stderr()[-2000:])
    path, body = ledger.path("k1"), ledger.may["k1"][0]
    seen = [outcome(each, path, body) for each in crowd]
    assert set(seen) <= {200, 503, None} and 200 in seen and 503 in seen, seen
    for each in crowd:
        each.close()
    assert until(lambda: outcome(connect(box), path, body) == 200, RECOVERY_S)
    assert client.health()[0] == 200
    ledger.check(client)


def outcome(client, path, body):
    """The status of a read, None without one; a body that came is the right one."""
    try:
        answer = client.get(path)
    except (Cut, NotSent):
        return None
    assert answer.status != 200 or answer.body == body
    return answer.status
