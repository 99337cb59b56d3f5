"""Clients that write all the time, each to keys of its own, so that it knows what each may hold."""
import random
import threading
import time

from client import Client
from ledger import Ledger, body_of

SIZES = (500, 5000, 100_000, 300_000)


class Writer(threading.Thread):
    def __init__(self, number, box, bucket, stop, sizes=SIZES, keys=6):
        super().__init__(daemon=True)
        self.number, self.box, self.stop, self.sizes = number, box, stop, sizes
        self.random = random.Random(number)
        self.keys = [f"w{number}-{each}" for each in range(keys)]
        self.ledger = Ledger(bucket)
        self.answers = []  # (asked, answered: seconds of the epoch, status or None)
        self.error = None

    def run(self):
        client = Client(self.box)
        try:
            while not self.stop.is_set():
                self.step(client)
        except Exception as error:  # told by Load.stop
            self.error = error
        finally:
            client.close()

    def step(self, client):
        key, body = self.random.choice(self.keys), None
        # What is surely there is deleted at times, so that every 204 had something to write.
        if len(self.ledger.may.get(key, [])) != 1 or self.ledger.may[key] == [None] or self.random.random() > 0.2:
            body = body_of(self.number * 10_000 + len(self.answers) % 10_000, self.random.choice(self.sizes))
        asked = time.time()
        answer = self.ledger.write(client, key, body)
        self.answers.append((asked, time.time(), answer and answer.status))
        if answer is None or not answer.ok:
            time.sleep(0.01)


class Load:
    """with Load(box, bucket) as load: …   writers run meanwhile; their errors are raised at the end."""

    def __init__(self, box, bucket, writers=6, **options):
        self.over = threading.Event()
        self.writers = [Writer(number, box, bucket, self.over, **options) for number in range(writers)]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        for writer in self.writers:
            writer.join(90)
        if kind is None:
            for writer in self.writers:
                if writer.error:
                    raise writer.error

    def answers(self):
        return [each for writer in self.writers for each in list(writer.answers)]

    def count(self, *statuses):
        return sum(status in statuses for _, _, status in self.answers())

    def ledger(self):
        """All of it, as one."""
        merged = Ledger(self.writers[0].ledger.bucket)
        for writer in self.writers:
            merged.may.update(writer.ledger.may)
        return merged
