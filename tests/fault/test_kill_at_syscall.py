"""ACC-46: SIGKILL at the N-th write, pwrite64, fdatasync, … of a put, a Complete, a copy, a delete,
for every N until the operation gets by without meeting one. After each kill the box starts, what was
acknowledged is there, what was not is there whole or not at all, no space is lost, scrub finds 0.

strace kills before the call is made, and counts for each thread and each kind of call by itself. The
calls of the short run are those that change a disk or tell a client; the long run adds the others.
Seen to fail with a start that does not free what no record names.
"""
import json

import pytest

import box as box_module
from client import Cut, until
from ledger import Ledger, body_of, pages
from powercut import allocated_bytes
from tracing import Tracer

ANSWERS = ("sendto", "sendmsg")
CALLS = ("write", "pwrite64", "fdatasync", "fsync", "fallocate", "unlink", *ANSWERS)
CALLS_LONG = (*CALLS, "openat", "ftruncate", "rename", "close", "futex", "recvfrom")
LARGE = 200_000  # bytes
PART = 5 << 20
SETTLE_S = 0.2  # in which the sweeper begins what a delete left to it
SPACE_S = 20
COUNT_MAX = 100


class Victim:
    """One box that goes through all the kills, one after the other."""

    def __init__(self, box, client):
        self.box, self.client = box, client
        self.ledger = Ledger(client.make_bucket("kills"))
        self.number = self.kills = 0

    def new_key(self):
        self.number += 1
        return f"k{self.number}"

    def body(self, size):
        return body_of(self.number, size)

    def die_at(self, call, count, operation):
        """Run the operation with the kill armed. Returns whether it struck."""
        with Tracer(self.box, "-e", f"trace={call}", "-e", f"inject={call}:signal=KILL:when={count}"):
            operation()
            until(lambda: not self.box.running(), SETTLE_S)
        if self.box.running():
            return False
        self.box.kill()
        self.kills += 1
        return True

    def recover(self):
        self.box.start()
        self.ledger.check(self.client)
        self.abort_uploads()
        self.check_space()

    def abort_uploads(self):
        answer = self.client.request("GET", f"/{self.ledger.bucket}", "uploads=")
        for key, upload in zip(answer.texts("Key"), answer.texts("UploadId"), strict=True):
            answer = self.client.request("DELETE", self.ledger.path(key), f"uploadId={upload}")
            assert answer.status == 204, answer

    def check_space(self):
        """After a start without a write since, the segments take what the bodies in them take."""
        wanted = sum(pages(len(body)) for body in self.stored().values())
        folder = self.box.data / "bodies"
        until(lambda: allocated_bytes(folder) == wanted, SPACE_S)
        have = allocated_bytes(folder)
        assert have == wanted, (f"the segments take {have} bytes, the bodies in them {wanted}: "
                                f"{self.box.stderr()[-1500:]}")
        assert self.client.metric("valise_sweep_errors_total") == 0, self.box.stderr()[-1500:]

    def stored(self):
        """The bodies that take space of their own: a copy shares its source's."""
        return {body: body for body in self.ledger.bodies().values()}

    def scrub(self):
        done = box_module.run("scrub", "--data", self.box.data, "--json")
        assert done.returncode == 0, (done.stdout, done.stderr, self.box.stderr()[-2000:])
        assert json.loads(done.stdout)["rot"] == 0


# Each prepares on a box that is not traced, and returns what is then done under the kill.

def put_small(victim):
    key = victim.new_key()
    return lambda: victim.ledger.write(victim.client, key, victim.body(2000))


def put_large(victim):
    key = victim.new_key()
    return lambda: victim.ledger.write(victim.client, key, victim.body(LARGE))


def overwrite(victim):
    key = victim.new_key()
    assert victim.ledger.write(victim.client, key, victim.body(LARGE)).ok
    victim.number += 1
    return lambda: victim.ledger.write(victim.client, key, victim.body(LARGE))


def delete(victim):
    key = victim.new_key()
    assert victim.ledger.write(victim.client, key, victim.body(LARGE)).ok
    return lambda: victim.ledger.write(victim.client, key, None)


def delete_last_of_segment(victim):
    """The segment, of an earlier run, is unlinked."""
    operation = delete(victim)
    victim.box.restart()
    return operation


def copy(victim):
    source, key = victim.new_key(), victim.new_key()
    assert victim.ledger.write(victim.client, source, victim.body(LARGE)).ok
    headers = [("x-amz-copy-source", victim.ledger.path(source))]
    return lambda: ask(victim, key, victim.ledger.may[source][0], "PUT", headers=headers)


def complete(victim):
    key = victim.new_key()
    path, body = victim.ledger.path(key), victim.body(PART + LARGE)
    upload, = victim.client.request("POST", path, "uploads=").texts("UploadId")
    xml = ""
    for number, part in enumerate((body[:PART], body[PART:]), 1):
        answer = victim.client.request("PUT", path, f"partNumber={number}&uploadId={upload}", body=part)
        xml += f"<Part><PartNumber>{number}</PartNumber><ETag>{answer.headers['etag']}</ETag></Part>"
    xml = f"<CompleteMultipartUpload>{xml}</CompleteMultipartUpload>".encode()
    return lambda: ask(victim, key, body, "POST", f"uploadId={upload}", body=xml)


def ask(victim, key, gives, method, query="", **options):
    """A request that gives the key a body, as it goes into the ledger."""
    victim.ledger.begin(key, gives)
    try:
        answer = victim.client.request(method, victim.ledger.path(key), query, **options)
    except Cut:
        return
    assert answer.ok and b"<Error>" not in answer.body, answer
    victim.ledger.acknowledged(key, gives)


OPERATIONS = (put_small, put_large, overwrite, delete, delete_last_of_segment, copy, complete)


@pytest.fixture
def victim(make_box, connect, need):
    need("strace")
    box = make_box()
    return Victim(box, connect(box))


@pytest.mark.parametrize("prepare", OPERATIONS, ids=lambda prepare: prepare.__name__)
def test_kill_at_every_call(victim, prepare, long):
    counts = {}
    for call in CALLS_LONG if long else CALLS:
        for count in range(1, COUNT_MAX):
            struck = victim.die_at(call, count, prepare(victim))
            if not struck:
                break
            counts[call] = count
            victim.recover()
            if long:
                victim.scrub()
    victim.ledger.check(victim.client)
    victim.scrub()
    print(f"\n{prepare.__name__}: {victim.kills} kills, {counts}")
    assert {"write", "fdatasync"} <= set(counts) and set(ANSWERS) & set(counts)
    victim.box.stop()
    victim.recover()
