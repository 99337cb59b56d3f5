"""ACC-45: power cuts at random moments. What was acknowledged before the cut is there after it.

    sudo .venv/bin/python tests/fault/powercut.py --rounds 600

The box has its data on an ext4 file system of its own, in a file behind a loop device. Threads put,
overwrite and delete small and large objects, versions, markers and buckets. At a random moment
EXT4_IOC_SHUTDOWN stops the file system as a cut would: what was not yet written never will be, the
journal is not flushed. The box still answers for a while (what is asked for now it must refuse), then
it is killed; the file system is mounted again, which replays its journal, and the box is started.
Then every acknowledged write is there byte for byte (or the one that was under way for the same key),
what was deleted is gone, no object is partial, lists and reads agree, no space is lost, and the
start took its time at most. One cut in eight comes while the box starts.

What this cannot show: blocks that reached the loop device but not its disk's own cache. Data that the
file system has not been told to sync is lost here only where a journal or a page held it.

Planted and caught: commits without sync (rocksdb_writeoptions_set_sync(…, 0)).
Needs root, loop devices, mkfs.ext4. Prints a line each round, with the seed that repeats its choices.
"""
import argparse
import fcntl
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).resolve().parents[1] / "api")]

import box as box_module  # noqa: E402
from client import Client, Cut, NotSent, until  # noqa: E402
from ledger import Ledger, body_of, pages  # noqa: E402

SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN and its flag, linux/fs/ext4/ext4.h
FIEMAP = 0xC020660B  # linux/fiemap.h
DISK_BYTES = 2 << 30
START_S = 10  # from the mount to the ready line
WRITERS = 8
KEYS = 8  # of each writer, in each bucket
SIZES = [0, 1, 200, 4096, 20_000, 65_536, 65_537, 200_000, 1_000_000, 3_000_000]
WEIGHTS = [1, 2, 6, 6, 4, 2, 2, 3, 2, 1]
ENABLE = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


class Disk:
    """An ext4 file system of its own. Whatever happens, it is unmounted and gone at the end."""

    def __init__(self, folder):
        self.folder = Path(tempfile.mkdtemp(prefix="powercut-", dir=folder))
        self.image = self.folder / "disk.img"
        self.mount_point = Path(tempfile.mkdtemp(prefix="powercut-"))

    def __enter__(self):
        with open(self.image, "wb") as image:
            image.truncate(DISK_BYTES)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.mount()
        return self

    def mount(self):
        """Whoever made a mount namespace meanwhile holds the dead file system there, and a mount would
        bring it back: then again."""
        for _ in range(100):
            subprocess.run(["mount", "-o", "loop,noatime", self.image, self.mount_point], check=True)
            try:
                (self.mount_point / "alive").touch()
                return
            except OSError:
                self.unmount()
                time.sleep(0.1)
        raise AssertionError("the file system stays dead: another mount namespace holds it")

    def is_mounted(self):
        """As the kernel has it: a dead file system may not answer to os.path.ismount."""
        return f" {self.mount_point} " in Path("/proc/self/mounts").read_text()

    def unmount(self):
        for _ in range(50):
            if not self.is_mounted():
                return
            done = subprocess.run(["umount", self.mount_point], capture_output=True, text=True)
            if done.returncode:
                time.sleep(0.1)
        raise AssertionError(f"cannot unmount: {done.stderr}")

    def cut(self):
        fd = os.open(self.mount_point, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def __exit__(self, *_):
        try:
            self.unmount()
        finally:
            if self.is_mounted():
                subprocess.run(["umount", "-l", self.mount_point])
            left = subprocess.run(["losetup", "-n", "-O", "NAME", "-j", self.image], capture_output=True, text=True)
            for device in left.stdout.split():
                subprocess.run(["losetup", "-d", device])
            shutil.rmtree(self.folder)
            self.mount_point.rmdir()


def allocated_bytes(folder):
    """What the files of a folder take, by FIEMAP: st_blocks would count ext4's extent trees too."""
    total = 0
    for path in folder.iterdir():
        try:
            with open(path, "rb") as file:
                total += sum(extent_lengths(file.fileno()))
        except FileNotFoundError:
            pass  # the sweeper was quicker
    return total


def extent_lengths(fd, room=512):
    start, last = 0, False
    while not last:
        request = bytearray(struct.pack("=QQIIII", start, 2**63, 1, 0, room, 0) + bytes(56 * room))
        fcntl.ioctl(fd, FIEMAP, request)
        count, = struct.unpack_from("=I", request, 20)
        last = count == 0
        for i in range(count):
            logical, _, length = struct.unpack_from("=QQQ", request, 32 + 56 * i)
            flags, = struct.unpack_from("=I", request, 32 + 56 * i + 40)
            yield length
            start, last = logical + length, bool(flags & 1)


class Moment:
    """When the power went: what is answered from `begun` on nobody would have heard, and what was
    asked for from `done` on cannot be on the disk."""

    def __init__(self):
        self.begun, self.done = threading.Event(), threading.Event()

    def cut(self, disk):
        self.begun.set()
        disk.cut()
        self.done.set()


class LastClient(Client):
    """A client of a box whose power goes: an answer that comes after the cut is none. (The kernel may
    end an fdatasync that was under way with success, though the blocks are lost.)"""

    def __init__(self, box, moment):
        super().__init__(box, timeout=10)
        self.moment = moment

    def request(self, method, path, query="", headers=(), body=b""):
        late = self.moment.done.is_set()
        answer = super().request(method, path, query, headers, body)
        # To delete what is not there is no write.
        assert not (late and answer.ok and method == "PUT"), f"PUT {path}: acknowledged on a dead disk"
        if answer.ok and self.moment.begun.is_set():
            raise Cut("answered after the cut")
        return answer


class Versions:
    """One writer's keys in the versioned bucket: what they must hold, and what was under way."""

    def __init__(self, bucket, keys):
        self.bucket, self.keys = bucket, keys
        self.must = {key: {} for key in keys}  # key -> {version id: body, None for a marker}
        self.pending = {}  # key -> ("add", body) or ("remove", version id)

    def change(self, client, chance, body):
        """One random change of a random key of which all is known. Returns the answer, None where
        it did not come."""
        key = chance.choice([key for key in self.keys if key not in self.pending])
        ids = list(self.must[key])
        path, query = f"/{self.bucket}/{key}", ""
        method, doing = "PUT", ("add", body)
        if chance.random() < 0.15:
            method, doing = "DELETE", ("add", None)
        elif len(ids) > 3:
            method, doing = "DELETE", ("remove", chance.choice(ids))
            query = f"versionId={doing[1]}"
        self.pending[key] = doing
        try:
            answer = client.request(method, path, query, body=body if method == "PUT" else b"")
        except NotSent:
            del self.pending[key]
            return None
        except Cut:
            return None
        if answer.ok:
            self.settle(key, doing, answer.headers["x-amz-version-id"])
        return answer

    def settle(self, key, doing, version):
        del self.pending[key]
        if doing[0] == "add":
            self.must[key][version] = doing[1]
        else:
            del self.must[key][version]

    def check(self, client):
        for key in self.keys:
            found = {id: self.read(client, key, id, is_marker) for id, is_marker in self.list(client, key)}
            doing = self.pending.pop(key, None)
            extra = [id for id in found if id not in self.must[key]]
            missing = [id for id in self.must[key] if id not in found]
            assert not extra or (doing and doing[0] == "add" and len(extra) == 1 and found[extra[0]] == doing[1]), \
                f"'{key}': versions that nobody made: {extra}"
            assert not missing or (doing and doing == ("remove", missing[0]) and len(missing) == 1), \
                f"'{key}': versions are lost: {missing}"
            for id, body in self.must[key].items():
                assert id in missing or found[id] == body, f"'{key}': version {id} is not what was written"
            self.must[key] = found

    def list(self, client, key):
        answer = client.request("GET", f"/{self.bucket}", f"prefix={key}&versions=")
        assert answer.status == 200, answer
        pattern = rb"<(Version|DeleteMarker)>.*?<VersionId>([^<]*)</VersionId>.*?</\1>"
        return [(id.decode(), kind == b"DeleteMarker") for kind, id in re.findall(pattern, answer.body, re.S)]

    def read(self, client, key, id, is_marker):
        if is_marker:
            return None
        answer = client.request("GET", f"/{self.bucket}/{key}", f"versionId={id}")
        assert answer.status == 200, (key, id, answer)
        return answer.body

    def bodies(self):
        return [body for versions in self.must.values() for body in versions.values() if body is not None]


class Writer:
    """A client that changes keys of its own, so that it knows what each may hold."""

    def __init__(self, number):
        self.number = number
        self.keys = [f"w{number}-{i}" for i in range(KEYS)]
        self.plain = Ledger(f"plain-{number}")
        self.versions = Versions("versioned", self.keys)
        self.buckets = {f"w{number}-bucket-{i}": [False] for i in range(3)}  # whether it may be there
        self.writes = 0
        self.acknowledged = 0

    def body(self, chance):
        self.writes += 1
        return body_of(self.number * 10_000 + self.writes % 10_000, chance.choices(SIZES, WEIGHTS)[0])

    def run(self, box, chance, moment, stop):
        client = LastClient(box, moment)
        while not stop.is_set():
            answer = self.change(client, chance)
            if answer and answer.ok:
                self.acknowledged += 1
                continue
            assert answer is None or answer.status in (500, 503, 507), answer
            time.sleep(0.005)  # the disk is dead, or the box
        client.close()

    def change(self, client, chance):
        kind = chance.random()
        known = [name for name, may in self.buckets.items() if len(may) == 1]
        if kind < 0.05 and known:
            return self.change_bucket(client, chance.choice(known))
        if kind < 0.4 and len(self.versions.pending) < KEYS:
            return self.versions.change(client, chance, self.body(chance))
        body = None if chance.random() < 0.2 else self.body(chance)
        return self.plain.write(client, chance.choice(self.keys), body)

    def change_bucket(self, client, name):
        there, = self.buckets[name]
        self.buckets[name] = [there, not there]
        try:
            answer = client.request("DELETE" if there else "PUT", f"/{name}")
        except NotSent:
            self.buckets[name] = [there]
            return None
        except Cut:
            return None
        if answer.ok:
            self.buckets[name] = [not there]
        return answer

    def check(self, client):
        self.plain.check(client)
        self.versions.check(client)
        for name, may in self.buckets.items():
            status = client.request("HEAD", f"/{name}").status
            assert (status == 200) in may and status in (200, 404), f"bucket '{name}': {status}, may be {may}"
            self.buckets[name] = [status == 200]

    def bodies(self):
        return [*self.plain.bodies().values(), *self.versions.bodies()]


class Campaign:
    def __init__(self, disk, folder, seed, seconds):
        self.disk, self.seed, self.seconds = disk, seed, seconds
        self.box = box_module.Box(folder, args=("--log-level", "warn"), data=disk.mount_point / "data")
        self.writers = [Writer(number) for number in range(WRITERS)]
        self.errors = []

    def begin(self):
        self.box.start()
        client = Client(self.box)
        for writer in self.writers:
            client.make_bucket(writer.plain.bucket)
        client.make_bucket("versioned")
        assert client.request("PUT", "/versioned", "versioning=", body=ENABLE).ok

    def write(self, writer, *args):
        try:
            writer.run(self.box, *args)
        except Exception as error:
            self.errors.append(f"writer {writer.number}: {error!r}")

    def round(self, number):
        chance = random.Random(f"{self.seed}-{number}")
        before = sum(writer.acknowledged for writer in self.writers)
        delay_s = chance.uniform(0, self.seconds)
        if chance.random() < 1 / 8:
            delay_s = self.cut_while_starting(chance)
        else:
            self.cut_while_writing(chance, delay_s)
        self.disk.unmount()
        self.disk.mount()
        begin = time.monotonic()
        self.box.start(timeout=START_S)
        ready_s = time.monotonic() - begin
        self.check()
        count = sum(writer.acknowledged for writer in self.writers) - before
        print(f"round {number} seed {self.seed}: cut after {delay_s:.3f} s, {count} acknowledged, "
              f"ready in {ready_s:.2f} s", flush=True)

    def cut_while_writing(self, chance, delay_s):
        moment, stop = Moment(), threading.Event()
        threads = [threading.Thread(target=self.write, args=(writer, random.Random(chance.random()), moment, stop))
                   for writer in self.writers]
        for thread in threads:
            thread.start()
        time.sleep(delay_s)
        moment.cut(self.disk)
        time.sleep(chance.choice([0, 0.02, 0.2]))  # it may answer, and acknowledge nothing
        ended = None if self.box.running() else self.box.process.returncode
        self.box.kill()
        stop.set()
        for thread in threads:
            thread.join()
        assert ended is None, f"the box ended with {ended} on the dead disk: {self.box.stderr()[-2000:]}"
        assert not self.errors, self.errors

    def cut_while_starting(self, chance):
        self.box.kill()
        delay_s = chance.uniform(0, 0.15)
        timer = threading.Timer(delay_s, self.disk.cut)
        timer.start()
        try:
            self.box.start(timeout=START_S)
        except AssertionError:
            pass  # it could not start on a dying disk
        timer.join()
        self.box.kill()
        return delay_s

    def check(self):
        client = Client(self.box)
        for writer in self.writers:
            writer.check(client)
        client.close()
        self.check_space([len(body) for writer in self.writers for body in writer.bodies()])
        self.check_log()


    def check_log(self):
        """No report of a sanitizer and no failed assertion of our own. RocksDB's may end a box whose
        disk dies while it opens; that one which serves goes on is looked at before it is killed."""
        for line in self.box.stderr().splitlines():
            assert "rocksdb::" in line or not box_module.SANITIZER.search(line), self.box.stderr()[-4000:]

    def check_space(self, sizes):
        """The segments take what the bodies take, once the sweeper is done."""
        folder, wanted = self.box.data / "bodies", sum(map(pages, sizes))
        until(lambda: allocated_bytes(folder) == wanted, 20)
        have = allocated_bytes(folder)
        assert have == wanted, f"the segments take {have} bytes, the bodies in them {wanted}"


def run(rounds, seconds, seed, folder):
    """Returns (rounds that went well, what went wrong or None)."""
    with tempfile.TemporaryDirectory(prefix="powercut-log-") as logs, Disk(folder) as disk:
        campaign = Campaign(disk, logs, seed, seconds)
        done = 0
        try:
            campaign.begin()
            for done in range(rounds):
                campaign.round(done)
            return rounds, None
        except AssertionError as error:
            return done, f"round {done} seed {seed}: {error}"
        finally:
            if campaign.box.process:
                campaign.box.kill()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=1.5, help="the longest time from start to cut")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--folder", default=box_module.ROOT / "build", help="where the image lies")
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    signal.signal(signal.SIGHUP, lambda *_: sys.exit(1))
    seed = args.seed if args.seed is not None else random.SystemRandom().randrange(10**6)
    passed, wrong = run(args.rounds, args.seconds, seed, args.folder)
    if wrong:
        print(wrong)
    print(f"{passed} passed, {int(bool(wrong))} failed, 0 skipped")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
