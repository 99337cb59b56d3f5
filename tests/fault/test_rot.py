"""ACC-50, 51: bits flip, files lose their end or a piece in the middle. What is not what was stored
is told, by name, by whoever reads it and by a scrub; it is never served, and nothing is forgotten
without a word: a log that is damaged keeps the box from starting.

Seen to fail with a body reader that does not compare its checksum.
"""
import json
import random
import time

import pytest

import box as box_module
from client import Cut
from ledger import Ledger

SMALL, LARGE = 20_000, 150_000  # a block of a table each; three blocks of a segment
NEEDLE = 48  # bytes that are found once in a file

# RocksDB does not say whose footer it could not read, and a row that is gone has no file.
NAMELESS = ("format_version", "magic number", "identity")


def body_of(number, size):
    """Bytes of its own, nowhere else."""
    return random.Random(number).randbytes(size)


def flip(path, offset, bit=0):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1 << bit]))


def find(files, body):
    """(path, offset) where a body begins; files: {path: bytes}."""
    for path, content in files.items():
        at = content.find(body[:NEEDLE])
        if at >= 0:
            return path, at
    raise AssertionError("the body is nowhere to be found")


def contents(box, pattern):
    return {path: path.read_bytes() for path in sorted(box.data.glob(pattern)) if path.is_file()}


def read(client, path):
    """The body, None where it is refused."""
    try:
        answer = client.get(path)
    except Cut:
        return None
    assert answer.status in (200, 500), answer
    return answer.body if answer.status == 200 else None


def scrub(box):
    """(exit code, what it said)"""
    done = box_module.run("scrub", "--data", box.data, "--json", timeout=300)
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def fill(box, client, count, size):
    ledger = Ledger(client.make_bucket("rot"))
    for number in range(count):
        assert ledger.write(client, f"k{number:04}", body_of(number, size)).ok
    return ledger


def refuses_to_start(box, *names):
    """It must not start, and say which file is damaged."""
    with pytest.raises(AssertionError) as refused:
        box.start()
    text = str(refused.value)
    assert "ended with 1 before it was ready" in text, text
    assert any(name in text for name in names), text


@pytest.mark.parametrize("size, pattern", ((SMALL, "kv/*.sst"), (LARGE, "bodies/*.seg")), ids=("small", "large"))
def test_flipped_bits_in_bodies(make_box, connect, long, size, pattern):
    """One bit of every second body: those are refused and named, the others are served."""
    flips = 1000 if long else 50
    chance = random.Random(size)
    box = make_box()
    client = connect(box)
    ledger = fill(box, client, 2 * flips, size)
    assert box.stop() == 0
    box.start()  # what the log has goes into tables
    assert box.stop() == 0
    files, rotten = contents(box, pattern), {}
    for key, may in list(ledger.may.items())[::2]:
        path, at = find(files, may[0])
        offset = chance.randrange(size)
        flip(path, at + offset, chance.randrange(8))
        rotten[key] = offset
    box.start()
    served = {key: read(client, ledger.path(key)) for key in ledger.may}
    wrong = [key for key, body in served.items() if body not in (None, ledger.may[key][0])]
    assert wrong == [], "wrong bytes were served"
    assert [key for key in rotten if served[key] is not None] == [], "rot was not seen"
    lost = [key for key in ledger.may if key not in rotten and served[key] is None]
    assert lost == [], f"{len(lost)} sound bodies are refused, for instance {lost[:3]}"
    code, report = scrub(box)
    named = {key for key in ledger.may if any(f"rot/{key} " in text for text in report["findings"])}
    print(f"\n{flips} flips, {report['rot']} found by scrub, {len(named)} named")
    assert code == 1 and report["finished"] and report["rot"] >= flips, report
    assert named == set(rotten), sorted(set(rotten) ^ named)[:5]
    assert client.put(ledger.path("new"), b"x").ok  # rot is no reason to refuse writes
    warnings = client.health()[1]["warnings"]
    assert [text for text in warnings if text.startswith("damaged-blocks: ")], warnings


def test_range_of_a_rotten_body(make_box, connect):
    """S3-GET-2: Blocks that are sound are served; the rotten one is not, wherever the range begins."""
    box = make_box()
    client = connect(box)
    size = 3 << 20
    ledger = fill(box, client, 1, size)
    body = ledger.may["k0000"][0]
    box.stop()
    path, at = find(contents(box, "bodies/*.seg"), body)
    flip(path, at + size // 2 + 7)
    box.start()
    refused = 0
    for begin in range(0, size, 100_003):
        end = min(begin + 50_000, size) - 1
        try:
            answer = client.request("GET", ledger.path("k0000"), headers=[("range", f"bytes={begin}-{end}")])
        except Cut:
            answer = None
        if answer is None or answer.status == 500:
            refused += 1
        else:
            assert (answer.status, answer.body) == (206, body[begin:end + 1])
    assert 0 < refused < size // 100_003
    assert read(client, ledger.path("k0000")) is None


def random_flips(box, connect, pattern, count):
    """Flip one bit of a file of the store, start, look; put it back; again. Whatever happens, no
    wrong bytes and nothing missing; and somebody has to say something."""
    chance = random.Random(pattern)
    client = connect(box)
    ledger = fill(box, client, 30, SMALL)
    for number in range(10):
        assert ledger.write(client, f"l{number}", body_of(100 + number, LARGE)).ok
    assert box.stop() == 0
    box.start()
    assert box.stop() == 0
    told = {"start": 0, "read": 0, "scrub": 0, "nobody": []}
    for _ in range(count):
        sound = contents(box, "kv/*")
        path = chance.choice([each for each in sound if each.match(pattern)])
        offset = chance.randrange(len(sound[path]))
        flip(path, offset, chance.randrange(8))
        who = who_tells(box, client, ledger, path.name)
        if who == "nobody":
            told["nobody"].append(f"{path.name} at {offset} of {len(sound[path])}")
        else:
            told[who] += 1
        restore(box, sound)
    print(f"\n{pattern}: {told}")
    assert told["nobody"] == [], told


def restore(box, sound):
    for path in (box.data / "kv").iterdir():
        if path not in sound and path.is_file():
            path.unlink()
    for path, content in sound.items():
        path.write_bytes(content)


def who_tells(box, client, ledger, name):
    try:
        box.start()
    except AssertionError as refused:
        assert "ended with 1 before it was ready" in str(refused), refused
        last = str(refused).strip().splitlines()[-1]
        # It is refused as corrupt; which file RocksDB suspects of it is RocksDB's guess.
        assert name in last or "Corruption" in last or any(words in last for words in NAMELESS), last
        return "start"
    failed = 0
    listing = client.request("GET", f"/{ledger.bucket}", "list-type=2")
    if listing.status == 200:
        assert listing.texts("Key") == sorted(ledger.may), f"keys are missing, without a word ({name})"
    else:
        assert listing.status == 500, listing
        failed += 1
    for key, may in ledger.may.items():
        body = read(client, ledger.path(key))
        assert body in (None, may[0]), f"{key}: wrong bytes"
        failed += body is None
    code, report = scrub(box)
    box.kill()
    if failed:
        assert code == 1, f"reads failed, and scrub found nothing: {report}"
        return "read"
    return "scrub" if code == 1 else "nobody"


def test_flipped_bits_in_tables(make_box, connect, long):
    random_flips(make_box(), connect, "*.sst", 400 if long else 20)


def test_flipped_bits_in_the_manifest(make_box, connect, long):
    random_flips(make_box(), connect, "MANIFEST-*", 200 if long else 10)


def test_flipped_lengths_in_the_manifest(make_box, connect, long):
    """A record that seems to reach past the end looks like one that a power cut tore: what stands
    behind it (whole tables) must not be forgotten for that."""
    box = make_box()
    client = connect(box)
    ledger = fill(box, client, 10, SMALL)
    box.restart()
    assert box.stop() == 0
    manifest, = (box.data / "kv").glob("MANIFEST-*")
    sound = contents(box, "kv/*")
    starts, offset = [], 0
    while offset + 7 < len(sound[manifest]):  # crc u32, length u16, type u8: then the record
        starts.append(offset)
        offset += 7 + int.from_bytes(sound[manifest][offset + 4:offset + 6], "little")
    for start in starts:
        flip(manifest, start + 5, 7)  # 32 KiB more
        refuses_to_start(box, manifest.name)
        restore(box, sound)
    box.start()
    ledger.check(client)


def test_a_damaged_table_meets_compaction(make_box, connect):
    """KV-ROT-3: RocksDB stops all writes when it merges a table that is damaged. The box says so, names
    the table, and takes writes again within seconds, now and after a restart; the rest is served."""
    box = make_box(args=("--store-memtable-bytes", "4M"))
    client = connect(box)
    ledger = fill(box, client, 100, SMALL)
    box.restart()  # what the log has goes into tables
    assert box.stop() == 0
    path, at = find(contents(box, "kv/*.sst"), ledger.may["k0050"][0])
    flip(path, at + 100)
    for restart in range(2):
        box.start()
        refused = 0
        for number in range(1500):  # several memtables
            answer = client.put(ledger.path(f"k{number % 49:04}"), body_of(number % 49, SMALL))
            assert answer.status in (200, 500, 503), answer
            refused += answer.status != 200
            if answer.status != 200:
                time.sleep(0.1)
        assert refused < 100, refused  # none where the start itself met the table
        assert f"'{path.name}'" in box.stderr() and "goes on without merging files" in box.stderr()
        code, report = client.health()
        assert code == 200 and any(text.startswith("damaged-blocks: ") for text in report["warnings"]), report
        sound = [key for key in ledger.may if read(client, ledger.path(key)) == ledger.may[key][0]]
        assert len(sound) == 99 and "k0050" not in sound
        assert box.stop() == 0


@pytest.fixture
def logged(make_box, connect):
    """A killed box, all of whose objects are in its log, and its ledger."""
    box = make_box()
    client = connect(box)
    ledger = fill(box, client, 40, 7000)
    box.kill()
    log, = (path for path in (box.data / "kv").glob("*.log") if path.stat().st_size)
    return box, client, ledger, log


def test_flipped_bits_in_the_log(logged, long):
    """The box refuses to start, and says where; with the bit put back nothing is lost."""
    box, client, ledger, log = logged
    chance = random.Random(1)
    size = log.stat().st_size
    for _ in range(300 if long else 15):
        offset, bit = chance.randrange(size), chance.randrange(8)
        flip(log, offset, bit)
        refuses_to_start(box, log.name)
        flip(log, offset, bit)
    box.start()
    ledger.check(client)


def test_log_without_its_end(logged, long):
    """What is left is a prefix of what was acknowledged."""
    box, client, ledger, log = logged
    sound = contents(box, "kv/*")
    chance = random.Random(2)
    keys = list(ledger.may)
    for _ in range(60 if long else 6):
        length = chance.randrange(len(sound[log]) // 4, len(sound[log]))
        restore(box, sound)
        with open(log, "r+b") as file:
            file.truncate(length)
        box.start()
        listed = client.list(ledger.bucket)
        there = [key in listed for key in keys]
        assert there == sorted(there, reverse=True) and 0 < sum(there) < len(keys), there
        for key in keys[:sum(there)]:
            assert client.get(ledger.path(key)).body == ledger.may[key][0]
        assert client.put(ledger.path("after"), b"x").ok
        box.kill()


def test_log_without_its_middle(logged, long):
    """A piece is missing or zeroed: refused, with the file's name, and nothing is changed on disk."""
    box, client, ledger, log = logged
    content = log.read_bytes()
    chance = random.Random(3)
    for number in range(60 if long else 8):
        begin = chance.randrange(len(content) // 2)
        length = chance.choice((1, 100, 512, 4096, 32768))
        middle = bytes(length) if number % 2 else b""
        log.write_bytes(content[:begin] + middle + content[begin + length:])
        damaged = log.read_bytes()
        if damaged == content:
            continue
        refuses_to_start(box, log.name)
        assert log.read_bytes() == damaged
    log.write_bytes(content)
    box.start()
    ledger.check(client)


def test_other_files(logged):
    """The files that are small and few."""
    box, client, ledger, _ = logged
    for name, names in (("kv/CURRENT", ("CURRENT", "MANIFEST")), ("box.key", ("box.key",))):
        path = box.data / name
        for offset in (0, 7, path.stat().st_size - 2):
            flip(path, offset)
            refuses_to_start(box, *names)
            flip(path, offset)
    box.start()
    ledger.check(client)


def test_missing_files(logged):
    """A log, a table, a segment that is gone is missed."""
    box, client, ledger, log = logged
    box.start()
    assert ledger.write(client, "large", body_of(5, LARGE)).ok
    box.restart()
    segment, = (box.data / "bodies").glob("*.seg")
    beside = box.data.parent / "beside"
    box.stop()
    for table in (box.data / "kv").glob("*.sst"):
        table.rename(beside)
        refuses_to_start(box, table.stem)  # RocksDB tries an older ending, too
        beside.rename(table)
    segment.rename(beside)
    box.start()
    assert read(client, ledger.path("large")) is None
    code, report = scrub(box)
    assert code == 1 and any("rot/large " in text for text in report["findings"]), report
    assert box.stop() == 0
    beside.rename(segment)
    box.start()
    ledger.check(client)
