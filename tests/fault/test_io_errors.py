"""ACC-47: the N-th write, sync, allocation or read fails, for each N. After a sync or a write that
failed nothing is acknowledged any more: the box answers 503 to writes, says so in its health, serves
reads, and after a restart of at most 10 s it has all that it ever acknowledged.

Seen to fail with a committer that forgets the error of a write (it stays OPEN).
"""
import re
import time

import pytest

from client import Cut, until
from ledger import Ledger, body_of
from load import SIZES, Load
from synced import OPTIONS, calls_of, unsynced
from tracing import Tracer

RESTART_S = 10
COUNTS, COUNTS_LONG = (1, 3), range(1, 26)
READ_ONLY, GOES_ON = "read-only", "goes on"
MEMTABLE = ("--store-memtable-bytes", "4M")  # so that tables are written soon
FAILURES = {  # call, error, file (None: any), what the box does then
    "sync, EIO": ("fdatasync", "EIO", None, READ_ONLY),
    "sync of a full disk": ("fdatasync", "ENOSPC", None, READ_ONLY),
    "log, EIO": ("write", "EIO", "log", READ_ONLY),
    "log of a full disk": ("write", "ENOSPC", "log", GOES_ON),
    "table, EIO": ("write", "EIO", "tables", READ_ONLY),
    "table on a full disk": ("write", "ENOSPC", "tables", GOES_ON),
    "sync of a table": ("fdatasync", "EIO", "tables", READ_ONLY),
    "body, EIO": ("pwrite64", "EIO", None, READ_ONLY),
    "body on a full disk": ("pwrite64", "ENOSPC", None, GOES_ON),
    "new segment on a full disk": ("fallocate", "ENOSPC", None, GOES_ON),
    "new segment, EIO": ("fallocate", "EIO", None, GOES_ON),
    "folder of segments, EIO": ("fsync", "EIO", None, GOES_ON),
}


def files_of(box, kind):
    """The write-ahead log that is written now, or the tables that will be."""
    log = max((box.data / "kv").glob("*.log"), key=lambda path: path.name)
    following = range(int(log.stem) + 1, int(log.stem) + 40)
    return {None: [], "log": [log], "tables": [log.with_name(f"{each:06}.sst") for each in following]}[kind]


def injected_at(lines, call):
    """When the call failed, in seconds of the epoch; None: it was not made often enough."""
    for line in lines:
        if "(INJECTED)" in line and call in line:
            return float(re.match(r"\d+ +(\d+\.\d+)", line).group(1))
    return None


def inject(call, error, count, paths):
    trace = OPTIONS[-1] if call in OPTIONS[-1] else f"{OPTIONS[-1]},{call}"
    if paths:  # then only calls that name the file are traced, and only they fail
        trace = f"trace={call}"
    options = [*OPTIONS[:-1], trace, "-e", f"inject={call}:error={error}:when={count}"]
    return [*options, *(option for path in paths for option in ("-P", str(path)))]


@pytest.mark.parametrize("name", FAILURES)
def test_write_fails(make_box, connect, need, long, name):
    need("strace")
    call, error, file, then = FAILURES[name]
    for count in COUNTS_LONG if long else COUNTS:
        box = make_box(args=MEMTABLE)
        client = connect(box)
        client.make_bucket("faults")
        box.restart()  # so that the first large body makes a segment
        sizes = (60_000,) if file == "tables" else SIZES  # small bodies fill tables
        one_failure(box, client, inject(call, error, count, files_of(box, file)), FAILURES[name], sizes)
        if call == "fsync" or (file == "tables" and not long):
            break  # each thread makes few of them


def one_failure(box, client, options, failure, sizes):
    call, error, _, then = failure
    # Only a disk that says it is full may be told as that: a large body's sync commits nothing.
    refused = {500, 503, 507} if error == "ENOSPC" else {500, 503}
    with Load(box, "faults", sizes=sizes) as load:
        until(lambda: load.count(200) > 20)
        with Tracer(box, *options) as tracer:
            until(lambda: injected_at(tracer.lines(), call), 10)
            if then is READ_ONLY:
                until(lambda: client.health()[0] == 503)
                told = time.time()
            time.sleep(0.2)  # for what would still be acknowledged
            if then is GOES_ON:  # it takes writes again without a restart
                before = load.count(200)
                assert until(lambda: load.count(200) > before + 10, 20), box.stderr()[-2000:]
    at = injected_at(tracer.lines(), call)
    if at is None:
        # A segment lasts for long, and a table takes few calls.
        assert call in ("fallocate", "fsync") or "-P" in options, f"{call} was not made"
        return
    if then is READ_ONLY:
        # A table is written behind everybody's back; what is synced in the log until its failure is
        # met is as safe as ever. Who meets a failure first is told 500.
        since = told if any(".sst" in option for option in options) else at
        statuses = {status for asked, _, status in load.answers() if asked > since}
        assert 503 in statuses and statuses <= refused, f"asked for after the failure: {statuses}"
        assert_read_only(client, load.ledger())
    assert load.count(None) == 0, f"the box died: {box.stderr()[-2000:]}"
    assert {status for _, _, status in load.answers()} <= {200, 204} | refused
    if "-P" not in options:
        assert unsynced(calls_of(tracer.lines())) == []
    box.kill()
    begin = time.monotonic()
    box.start(timeout=RESTART_S)
    print(f"\n{call}: ready {time.monotonic() - begin:.2f} s later")
    load.ledger().check(client)
    assert client.health()[0] == 200
    assert client.put("/faults/after", b"x").ok


def assert_read_only(client, ledger):
    status, health = client.health()
    assert status == 503 and health["status"] == "unavailable"
    assert [reason for reason in health["reasons"] if reason.startswith("store-read-only: ")], health
    for size in (10, 200_000):
        answer = client.put("/faults/refused", body_of(1, size))
        assert (answer.status, answer.code) == (503, "ServiceUnavailable"), answer
    there = None
    for key, may in ledger.may.items():
        answer = client.get(ledger.path(key))
        assert (None if answer.status == 404 else answer.body) in may, (key, answer)
        there = key if answer.status == 200 else there
    assert client.delete(ledger.path(there)).status == 503


@pytest.mark.parametrize("size", (5000, 3_000_000), ids=("small", "large"))
def test_read_fails(make_box, connect, need, long, size):
    """A read that fails is told as such, and never answered with other bytes; the next one is fine."""
    need("strace")
    box = make_box()
    client = connect(box)
    ledger = Ledger(client.make_bucket("reads"))
    for number in range(10):
        assert ledger.write(client, f"k{number}", body_of(number, size)).ok
    box.restart()
    failed = 0
    for count in range(1, 40 if long else 8):
        box.restart()
        with Tracer(box, "-e", "trace=pread64", "-e", f"inject=pread64:error=EIO:when={count}+") as tracer:
            for key, may in ledger.may.items():
                failed += read_or_fail(client, ledger.path(key), may[0])
        if "(INJECTED)" not in "\n".join(tracer.lines()):
            break
    print(f"\n{failed} reads failed")
    assert failed
    box.restart()
    ledger.check(client)
    assert client.health()[0] == 200


def read_or_fail(client, path, body):
    """Whether the read failed; an answer must be the body."""
    try:
        answer = client.get(path)
    except Cut:
        return True
    if answer.status == 200:
        assert answer.body == body
        return False
    assert answer.status in (500, 503), answer
    return True
