"""What a bucket may hold: what was acknowledged must be there, what was not may be, whole or not
at all, and nothing else is. Bodies are cut out of one random pool, so that no two are alike.
"""
import hashlib
import random

from client import Cut, NotSent

POOL = random.Random(51).randbytes(40 << 20)
PAGE = 4096
SMALL_MAX = 65536  # bytes; longer bodies lie in segments


def body_of(number, size):
    """The body with that number: others for every number below 100,000."""
    start = number * 211 % (len(POOL) - size)
    return POOL[start:start + size]


class Ledger:
    def __init__(self, bucket):
        self.bucket = bucket
        self.may = {}  # key -> what it may hold; None = nothing

    def path(self, key):
        return f"/{self.bucket}/{key}"

    def begin(self, key, body):
        """A write (None: a delete) is about to be asked for."""
        self.may[key] = [*self.may.get(key, [None]), body]

    def acknowledged(self, key, body):
        self.may[key] = [body]

    def refused(self, key):
        """What was begun last is known to have had no effect."""
        self.may[key].pop()

    def write(self, client, key, body):
        """Put (None: delete); returns the answer, None where it did not come."""
        self.begin(key, body)
        try:
            answer = client.delete(self.path(key)) if body is None else client.put(self.path(key), body)
        except NotSent:
            self.refused(key)
            return None
        except Cut:
            return None
        if answer.ok:
            self.acknowledged(key, body)
        elif answer.status < 500 or answer.status == 507:
            self.refused(key)
        return answer

    def check(self, client):
        """Read all. What is found is what must be there from now on."""
        listed = client.list(self.bucket)
        for key in set(listed) - set(self.may):
            raise AssertionError(f"'{key}' is there, and nobody put it")
        for key, may in list(self.may.items()):
            answer = client.get(self.path(key))
            body = None if answer.status == 404 else answer.body
            assert answer.status in (200, 404), (key, answer)
            assert body in may, (f"'{key}': {answer.status}, {len(answer.body)} bytes; not one of "
                                 f"{[None if each is None else len(each) for each in may]}")
            assert (key in listed) == (body is not None), f"'{key}' is listed otherwise than it is read"
            self.may[key] = [body]

    def bodies(self):
        return {key: may[0] for key, may in self.may.items() if may[0] is not None}


def pages(size):
    return (size + PAGE - 1) // PAGE * PAGE if size > SMALL_MAX else 0


def md5(body):
    return f'"{hashlib.md5(body).hexdigest()}"'
