"""ACC-58: 32 clients put, copy, delete, read and list a few keys, with and without conditions,
while the box is killed and started again: every answer fits one order of all operations of a key.

Every write carries a tag of its own in its metadata, so a read tells which write it sees; the body
has to be that write's. A list is a read of every key. Half of the keys are in a versioned bucket.
Seen to fail with a store whose key locks do nothing (conditional writes then overtake each other).
"""
import random
import threading
import time
from collections import Counter, defaultdict

import pytest

from client import Client, Cut, NotSent
from history import KEEP, NotLinearizable, Operation, check
from ledger import body_of, md5

CLIENTS = 32
BUCKETS = ("plain", "versioned")
KEYS = [f"/{bucket}/k{number}" for bucket in BUCKETS for number in range(5)]
SIZES = (100, 3000, 70_000)  # the last lies in a segment
ENABLE = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
DEAD_S = 15


class Written:
    """What was written, by tag: the ETag of its body. That of a copy whose answer did not come is
    unknown until somebody reads it: it fits every ETag until then."""

    def __init__(self):
        self.etags = {}

    def fits(self, etag):
        """Could the state have had this ETag (None: been absent)?"""
        if etag is None:
            return lambda tag: tag is None
        return lambda tag: tag is not None and self.etags.get(tag, etag) == etag

    def differs(self, etag):
        """Could it have had another one, or been absent?"""
        return lambda tag: tag is None or self.etags.get(tag) != etag


class Worker(threading.Thread):
    def __init__(self, number, box, written, stop):
        super().__init__(daemon=True)
        self.random = random.Random(number)
        self.number, self.written, self.stop = number, written, stop
        self.client = Client(box, timeout=30)
        self.counter = 0
        self.operations = defaultdict(list)  # key -> Operation
        self.open = []  # writes without an answer: (key, place in operations)
        self.last = {}  # key -> ETag seen last
        self.counts = Counter()
        self.error = None

    def run(self):
        kinds = {self.put: 6, self.get: 9, self.delete: 2, self.put_new: 2, self.put_if: 4, self.copy: 3,
                 self.list: 1}
        try:
            while not self.stop.is_set():
                kind = self.random.choices(list(kinds), kinds.values())[0]
                kind(self.random.choice(KEYS))
        except Exception as error:  # told by the main thread
            self.error = error
        finally:
            self.client.close()

    # ---- one operation ----

    def record(self, key, start, allows, effect, what, answered=True, sees=None):
        end = time.monotonic_ns() if answered else float("inf")
        if not answered:
            self.open.append((key, len(self.operations[key])))
        self.operations[key].append(Operation(start, end, allows, effect, answered,
                                              f"{self.number}: {what}", sees))

    def ask(self, kind, *request, **options):
        """(start, answer); answer None: it did not come; nothing was sent: (None, None)."""
        start = time.monotonic_ns()
        try:
            answer = self.client.request(*request, **options)
        except NotSent:
            time.sleep(0.01)
            return None, None
        except Cut:
            self.counts[kind, "cut"] += 1
            return start, None
        self.counts[kind, answer.status] += 1
        return start, answer

    def new_body(self):
        self.counter += 1
        number = self.number * 1500 + self.counter % 1500
        # A counter in front, since the pool's pieces come again after 1500.
        return b"%d-%d;" % (self.number, self.counter) + body_of(number, self.random.choice(SIZES))

    def write(self, kind, key, condition, holds, fails=None):
        """A put with a condition; holds, fails: functions of the state, whether it may be met, or not."""
        body = self.new_body()
        tag = f"{self.number}-{self.counter}"
        etag = self.written.etags[tag] = md5(body)
        start, answer = self.ask(kind, "PUT", key, headers=[("x-amz-meta-tag", tag), *condition], body=body)
        if start is None:
            return
        what = f"{kind} {tag} {condition}"
        if answer is None:
            self.record(key, start, holds, tag, what + " ?", answered=False)
        elif answer.ok:
            assert answer.headers["etag"] == etag
            self.record(key, start, holds, tag, what + " 200")
        elif answer.status in (404, 412):
            self.record(key, start, fails, KEEP, f"{what} {answer.status}")
        else:
            assert answer.status == 409, answer  # another write of the key came between: no effect

    def put(self, key):
        self.write("put", key, [], lambda state: True)

    def put_new(self, key):
        self.write("put-new", key, [("if-none-match", "*")], lambda state: state is None,
                   lambda state: state is not None)

    def put_if(self, key):
        self.get(key)
        etag = self.last.get(key)
        if etag:
            self.write("put-if", key, [("if-match", etag)], self.written.fits(etag),
                       self.written.differs(etag))

    def delete(self, key):
        start, answer = self.ask("delete", "DELETE", key)
        if start is None:
            return
        assert answer is None or answer.status == 204, answer
        self.record(key, start, lambda state: True, None, "delete", answered=answer is not None)

    def get(self, key):
        start, answer = self.ask("get", "GET", key)
        if answer is None:
            return
        if answer.status == 404:
            self.record(key, start, lambda state: state is None, KEEP, "get: nothing")
            return
        assert answer.status == 200, answer
        tag, etag = answer.headers["x-amz-meta-tag"], answer.headers["etag"]
        assert md5(answer.body) == etag, f"{key} {tag}: the body is not that of its ETag"
        assert self.written.etags.setdefault(tag, etag) == etag, f"{key}: the body is not that of {tag}"
        self.last[key] = etag
        self.record(key, start, lambda state: state == tag, KEEP, f"get: {tag}", sees=tag)

    def copy(self, key):
        """A read of the source and a write of the target, in one."""
        source = self.random.choice([each for each in KEYS if each != key])
        self.counter += 1
        tag = f"{self.number}-{self.counter}"
        start, answer = self.ask("copy", "PUT", key, headers=[
            ("x-amz-copy-source", source), ("x-amz-metadata-directive", "REPLACE"), ("x-amz-meta-tag", tag)])
        if start is None:
            return
        if answer is None:
            self.record(key, start, lambda state: True, tag, f"copy of {source} as {tag} ?", answered=False)
        elif answer.status == 404:
            self.record(source, start, lambda state: state is None, KEEP, "copy: nothing")
        else:
            assert answer.status == 200, answer
            etag = answer.texts("ETag")[0].replace("&quot;", '"')
            assert self.written.etags.setdefault(tag, etag) == etag, f"{tag} was copied as another body"
            self.record(source, start, self.written.fits(etag), KEEP, f"copied from: {etag}")
            self.record(key, start, lambda state: True, tag, f"copy of {source} as {tag}")

    def list(self, key):
        bucket = key.split("/")[1]
        start, answer = self.ask("list", "GET", "/" + bucket, "list-type=2")
        if answer is None:
            return
        assert answer.status == 200, answer
        etags = (text.replace("&quot;", '"') for text in answer.texts("ETag"))
        listed = dict(zip(answer.texts("Key"), etags, strict=True))
        for each in KEYS:
            if each.startswith(f"/{bucket}/"):
                etag = listed.get(each.split("/")[2])
                self.record(each, start, self.written.fits(etag), KEEP, f"listed: {etag}")

    def server_was_dead(self, since_ns):
        """Writes that were under way before that took effect before it, or never."""
        for key, place in self.open:
            operation = self.operations[key][place]
            if operation.start < since_ns and operation.end == float("inf"):
                self.operations[key][place] = operation._replace(end=since_ns)


def run(box, written, wanted, kills):
    """Let the clients work, and kill the box `kills` times meanwhile. Returns the workers."""
    stop = threading.Event()
    workers = [Worker(number, box, written, stop) for number in range(CLIENTS)]
    done = lambda: sum(sum(each.counts.values()) for each in workers)  # noqa: E731
    dead_ns = []
    for worker in workers:
        worker.start()
    try:
        for kill in range(kills + 1):
            while done() < wanted * (kill + 1) / (kills + 1) and not any(each.error for each in workers):
                assert box.running(), box.stderr()[-2000:]
                time.sleep(0.01)
            if kill < kills:
                box.kill()
                dead_ns.append(time.monotonic_ns())
                time.sleep(0.05)  # whoever sent to the dead one begins again before the next is there
                box.start()
    finally:
        stop.set()
        for worker in workers:
            worker.join(DEAD_S + 60)
    for worker in workers:
        if worker.error:
            raise worker.error
        for moment in dead_ns:
            worker.server_was_dead(moment)
    return workers


def by_key(workers):
    history = defaultdict(list)
    for worker in workers:
        for key, operations in worker.operations.items():
            history[key].extend(operations)
    return history


def swap_two_reads(operations):
    """The history with the answers of two reads exchanged that saw different writes, neither of
    them while the other's was under way: no order explains that."""
    reads = sorted((each for each in operations if each.sees), key=lambda each: each.start)
    writes = {each.effect: each for each in operations if each.effect not in (KEEP, None)}
    for first in reads:
        for second in reads:
            if first.end < writes[second.sees].start:
                rest = [each for each in operations if each is not first and each is not second]
                return [*rest, first._replace(allows=second.allows, sees=second.sees),
                        second._replace(allows=first.allows, sees=first.sees)]
    raise AssertionError("no two reads to exchange")


def test_linearizable_with_kills(make_box, connect, long):
    wanted, kills = (100_000, 60) if long else (6_000, 6)
    box, written = make_box(), Written()
    client = connect(box)
    for bucket in BUCKETS:
        client.make_bucket(bucket)
    assert client.request("PUT", "/versioned", "versioning=", body=ENABLE).ok
    workers = run(box, written, wanted, kills)
    history = by_key(workers)
    counts = sum((each.counts for each in workers), Counter())
    print(f"\n{sum(counts.values())} operations, {kills} kills, answers: "
          + ", ".join(f"{kind} {status}: {count}" for (kind, status), count in sorted(counts.items(), key=str)))
    finals = {}
    for key in KEYS:
        finals[key] = check(history[key])
    for key in KEYS:  # and what is there at the end is one of the ends that the histories allow
        answer = client.get(key)
        assert (answer.headers["x-amz-meta-tag"] if answer.ok else None) in finals[key], (key, answer)
    with pytest.raises(NotLinearizable):
        check(swap_two_reads(history[KEYS[0]]))


# ---- the checker itself ----

def write(start, end, value, answered=True, only_from=()):
    return Operation(start, end, lambda state: not only_from or state in only_from, value, answered,
                     f"write {value}")


def read(start, end, value):
    return Operation(start, end, lambda state: state == value, KEEP, True, f"read {value}", value)


GOOD = {
    "in order": [write(1, 2, "a"), read(3, 4, "a"), write(5, 6, "b"), read(7, 8, "b")],
    "a read during a write sees the old": [write(1, 5, "a"), read(2, 8, None)],
    "or the new": [write(1, 5, "a"), read(2, 3, "a"), read(4, 9, "a")],
    "two writes, either order": [write(1, 9, "a"), write(2, 8, "b"), read(10, 11, "a"), read(12, 13, "a")],
    "unanswered, took effect": [write(1, 9, "a", answered=False), read(10, 11, "a")],
    "unanswered, did not": [write(1, 9, "a", answered=False), read(10, 11, None)],
    "unanswered, late": [read(2, 3, None), write(1, 9, "a", answered=False), read(5, 6, "a")],
    "compare and set": [write(1, 2, "a"), write(3, 9, "b", only_from=("a",)), read(4, 8, "b")],
    "a read outlasts two writes": [read(0, 20, "a"), write(1, 2, "a"), write(3, 4, "b"), read(5, 6, "b")],
}
BAD = {
    "a stale read": [write(1, 2, "a"), write(3, 4, "b"), read(5, 6, "a")],
    "a lost write": [write(1, 2, "a"), read(3, 4, None)],
    "there and back": [write(1, 9, "a"), read(2, 3, "a"), read(4, 5, None)],
    "two winners": [write(1, 2, "a", only_from=(None,)), write(1, 2, "b", only_from=(None,))],
    "never written": [write(1, 2, "a"), read(3, 4, "c")],
    "after it was dead": [write(1, 3, "a", answered=False), read(4, 5, None), read(6, 7, "a")],
    "two orders": [write(1, 9, "a"), write(1, 9, "b"), read(10, 12, "a"), read(10, 12, "b")],
}


@pytest.mark.parametrize("name", GOOD)
def test_checker_accepts(name):
    check(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_checker_refuses(name):
    with pytest.raises(NotLinearizable):
        check(BAD[name])
