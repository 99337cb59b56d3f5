"""Backups: `valise backup` while a box serves and while it is stopped, `valise restore`, what is
told of wrong places and damage, and what an interruption leaves."""
import hashlib
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

import box as box_module
from box import Box, run

MIB = 1 << 20


def ok(done):
    assert done.returncode == 0, done
    return done.stdout


def fails(done, code=1):
    """One line on stderr. Returns it."""
    assert done.returncode == code, done
    assert len(done.stderr.strip().splitlines()) == 1, done
    return done.stderr


def content(name, size):
    """Bytes that tell whose they are."""
    block = b"".join(hashlib.sha256(f"{name} {i}".encode()).digest() for i in range(512))
    return (block * (size // len(block) + 1))[:size]


def back_up(box, dest, *args):
    return json.loads(ok(run("backup", dest, "--data", box.data, "--json", *args, timeout=120)))


def restore(dest, data, *args):
    return json.loads(ok(run("restore", dest, "--data", data, "--json", *args, timeout=120)))


def start_restored(box, data, folder):
    """The box at `data`, with the users of the one it was made of."""
    folder.mkdir(exist_ok=True)
    restored = Box(folder, data=data)
    restored.users = dict(box.users)
    return restored.start()


def read(s3, key, bucket="bkt"):
    try:
        return s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchKey"
        return None


def start_command(*args):
    return subprocess.Popen([box_module.program(), *map(str, args)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def wait_for(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def copied(dest):
    return sum(1 for _ in Path(dest).glob("bodies/*/*"))


@pytest.fixture
def filled(new_box):
    """A box with 24 objects of 1 MiB and as many small ones; slow at backups."""
    box = new_box(args=("--backup-bytes-per-second", "32M"))
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    for i in range(24):
        s3.put_object(Bucket="bkt", Key=f"large-{i}", Body=content(f"large-{i}", MIB))
        s3.put_object(Bucket="bkt", Key=f"small-{i}", Body=content(f"small-{i}", 2000))
    return box


def check_filled(s3):
    for i in range(24):
        assert read(s3, f"large-{i}") == content(f"large-{i}", MIB)
        assert read(s3, f"small-{i}") == content(f"small-{i}", 2000)


class Churn:
    """Writers and deleters, each with keys of its own, and what each key was, in order."""

    def __init__(self, box, workers=8):
        self.stop = threading.Event()
        self.history = {}
        self.failures = []
        self.threads = [threading.Thread(target=self._work, args=(box.s3(), worker)) for worker in range(workers)]
        for thread in self.threads:
            thread.start()

    def _work(self, s3, worker):
        try:
            for turn in range(1000000):
                if self.stop.is_set():
                    return
                key = f"churn-{worker}-{turn % 5}"
                states = self.history.setdefault(key, [(None, None)])
                if turn % 7 == 6:
                    states.append((None, None))
                    s3.delete_object(Bucket="bkt", Key=key)
                else:
                    size = (100, 3000, 70000, 300000)[turn % 4]
                    states.append((f"{key} {turn}", size))
                    s3.put_object(Bucket="bkt", Key=key, Body=content(f"{key} {turn}", size))
        except Exception as error:  # told by end()
            self.failures.append(error)

    def moment(self):
        """How many states each key has had; the last may be under way."""
        return {key: len(states) for key, states in list(self.history.items())}

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        assert not self.failures, self.failures


# BACKUP-COPY-1, BACKUP-SERVE-1, BOX-RESTORE-1
def test_while_it_serves(new_box, tmp_path):
    """Everything that was acknowledged before is there, byte for byte; what changed meanwhile is what
    it was at one moment in between."""
    box = new_box(args=("--backup-bytes-per-second", "24M"))
    s3 = box.s3()
    box.user("ann")
    s3.create_bucket(Bucket="bkt")
    fixed = {f"fixed-{i}": content(f"fixed-{i}", size)
             for i, size in enumerate([0, 1, 65536, 65537, 5 * MIB + 1, 20 * MIB] + [200000] * 40)}
    for key, body in fixed.items():
        s3.put_object(Bucket="bkt", Key=key, Body=body)
    churn = Churn(box)
    wait_for(lambda: len(churn.history) == 40)
    before = churn.moment()
    result = back_up(box, tmp_path / "dest")
    after = churn.moment()
    churn.end()
    assert result["complete"] and result["damaged"] == 0 and result["generation"] == 1
    ok(run("restore", tmp_path / "dest", "--data", tmp_path / "new"))
    restored = start_restored(box, tmp_path / "new", tmp_path / "log")
    r3 = restored.s3()
    for key, body in fixed.items():
        assert read(r3, key) == body, key
    for key, states in churn.history.items():
        body = read(r3, key)
        # The state before the one under way at the start, up to the last begun before the end.
        possible = states[max(0, before[key] - 2):after[key]]
        assert body in [text and content(text, size) for text, size in possible], key
    assert len(restored.s3("ann").list_buckets()["Buckets"]) == 0
    told = [json.loads(line) for line in ok(run("audit", "--data", restored.data, "--json")).splitlines()]
    assert [entry["result"] for entry in told if entry["action"] == "box:restore"] == ["ok"]
    r3.put_object(Bucket="bkt", Key="new", Body=b"works")
    first, second = (json.loads(ok(run("status", "--data", b.data, "--json"))) for b in (box, restored))
    assert first["box_id"] == second["box_id"]
    assert json.loads(ok(run("scrub", "--data", restored.data, "--json")))["rot"] == 0
    restored.close()


# BACKUP-NEW-1
def test_only_what_is_new_is_copied(filled, tmp_path):
    dest = tmp_path / "dest"
    first = back_up(filled, dest)
    assert first["copied_bytes"] == first["bytes"] >= 24 * MIB
    second = back_up(filled, dest)
    assert second["bytes"] >= 24 * MIB and second["copied_bytes"] < MIB
    filled.s3().put_object(Bucket="bkt", Key="more", Body=content("more", 3 * MIB))
    third = back_up(filled, dest)
    assert 3 * MIB <= third["copied_bytes"] < 4 * MIB
    assert [g["generation"] for g in json.loads(ok(run("backup", "list", dest, "--json")))] == [1, 2, 3]
    assert re.search(r"^ +3 .* files", ok(run("backup", "list", dest)), re.M)
    assert json.loads(ok(run("backup", "verify", dest, "--json")))["damaged"] == 0
    assert restore(dest, tmp_path / "old", "--generation", 2)["generation"] == 2
    restored = start_restored(filled, tmp_path / "old", tmp_path / "log")
    check_filled(restored.s3())
    assert read(restored.s3(), "more") is None
    restored.close()


def test_a_stopped_box(filled, tmp_path):
    dest = tmp_path / "dest"
    assert filled.stop() == 0
    assert back_up(filled, dest)["complete"]
    assert "0.0 MiB of it copied now" in ok(run("backup", dest, "--data", filled.data))
    restore(dest, tmp_path / "new")
    filled.start()
    restored = start_restored(filled, tmp_path / "new", tmp_path / "log")
    check_filled(restored.s3())
    restored.close()


# BACKUP-SECRET-1
def test_who_may_read_it(filled, tmp_path):
    back_up(filled, tmp_path / "dest")
    restore(tmp_path / "dest", tmp_path / "new")
    for top in ("dest", "new"):
        for path in [tmp_path / top, *(tmp_path / top).rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert "secret_key" not in (tmp_path / "new").as_posix()
    assert not (tmp_path / "new" / "first-run.json").exists()


# BACKUP-VERIFY-1
@pytest.mark.parametrize("what", ["bodies/*/*", "kv/*.log-*", "kv/MANIFEST-*", "box.key-*", "generations/*.catalog"])
def test_damage_in_the_backup(filled, tmp_path, what):
    """Restore refuses, names the file, and makes no box; with the file as it was it works."""
    dest, data = tmp_path / "dest", tmp_path / "new"
    filled.stop()
    back_up(filled, dest)
    damaged = max(dest.glob(what), key=lambda path: path.stat().st_size)
    good = damaged.read_bytes()
    flipped = bytearray(good)
    flipped[len(good) // 2] ^= 1
    for bad in (bytes(flipped), good[:-1], None):
        damaged.unlink()
        if bad is not None:
            damaged.write_bytes(bad)
        assert str(damaged) in fails(run("restore", dest, "--data", data))
        verify = run("backup", "verify", dest)
        assert verify.returncode == 1 and str(damaged) in verify.stdout + verify.stderr
        assert run("status", "--data", data).returncode == 1
        damaged.write_bytes(good)
    restore(dest, data)
    ok(run("status", "--data", data))
    filled.start()


# BACKUP-ROT-1
def test_damage_in_the_box(filled, tmp_path):
    """It is told, the rest is copied, and an earlier good copy stays."""
    dest = tmp_path / "dest"
    back_up(filled, dest)
    filled.s3().put_object(Bucket="bkt", Key="rotten", Body=content("rotten", 2 * MIB))
    filled.stop()
    for segment in sorted((filled.data / "bodies").iterdir()):
        blob = bytearray(segment.read_bytes())
        for body in (content("rotten", 2 * MIB), content("large-3", MIB)):
            at = blob.find(body[:4096])
            if at >= 0:
                blob[at + 5000] ^= 1
        segment.write_bytes(blob)
    done = run("backup", dest, "--data", filled.data, "--json")
    status = json.loads(done.stdout)
    assert done.returncode == 1 and status["complete"] and status["damaged"] == 1
    assert "checksum mismatch" in status["findings"][0] and "valise scrub" in done.stderr
    done = run("restore", dest, "--data", tmp_path / "new")
    assert done.returncode == 1 and "was damaged in the box" in done.stderr
    filled.start()
    restored = start_restored(filled, tmp_path / "new", tmp_path / "log")
    check_filled(restored.s3())
    with pytest.raises(Exception):
        read(restored.s3(), "rotten")
    restored.close()


# BACKUP-STOP-1
def test_killed_box(filled, tmp_path):
    """kill -9 of the box in the middle: the earlier backup is whole, and the next goes on."""
    dest = tmp_path / "dest"
    back_up(filled, dest)
    s3 = filled.s3()
    for i in range(40):
        s3.put_object(Bucket="bkt", Key=f"more-{i}", Body=content(f"more-{i}", 2 * MIB))
    command = start_command("backup", dest, "--data", filled.data)
    wait_for(lambda: copied(dest) >= 24 + 34)
    filled.kill()
    command.communicate(timeout=60)
    assert command.returncode == 1
    assert [g["generation"] for g in json.loads(ok(run("backup", "list", dest, "--json")))] == [1]
    restore(dest, tmp_path / "new")
    filled.start()
    assert not (filled.data / "backup.tmp").exists()
    result = back_up(filled, dest)
    assert result["copied_bytes"] < 80 * MIB
    assert copied(dest) == 24 + 40
    shutil.rmtree(tmp_path / "new")
    restore(dest, tmp_path / "new")
    restored = start_restored(filled, tmp_path / "new", tmp_path / "log")
    check_filled(restored.s3())
    assert read(restored.s3(), "more-39") == content("more-39", 2 * MIB)
    restored.close()


# BACKUP-STOP-1
@pytest.mark.parametrize("moment_ms", [0, 50, 150, 400, 800])
def test_killed_command(filled, tmp_path, moment_ms):
    """kill -9 of a backup of a stopped box, at some moment."""
    dest = tmp_path / "dest"
    filled.stop()
    command = start_command("backup", dest, "--data", filled.data)
    time.sleep(moment_ms / 1000)
    command.kill()
    command.communicate()
    assert run("backup", "verify", dest).returncode in (0, 1)
    assert back_up(filled, dest)["complete"]
    restore(dest, tmp_path / "new")
    filled.start()
    restored = start_restored(filled, tmp_path / "new", tmp_path / "log")
    check_filled(restored.s3())
    restored.close()


# BOX-RESTORE-1
def test_killed_restore(filled, tmp_path):
    """What it leaves is no box, is not made a new one, and is filled by the next restore."""
    dest, data = tmp_path / "dest", tmp_path / "new"
    back_up(filled, dest)
    killed = 0
    for moment_ms in (5, 20, 40, 80, 120):
        command = start_command("restore", dest, "--data", data)
        time.sleep(moment_ms / 1000)
        command.kill()
        command.communicate()
        if not (data / "restoring").exists():
            continue
        killed += 1
        assert "run 'valise restore' again" in fails(run("status", "--data", data))
        assert "run 'valise restore' again" in fails(run("init", "--data", data))
        assert "run 'valise restore' again" in fails(
            run("serve", "--data", data, "--api", "127.0.0.1:0", "--console", "-"))
    assert killed
    if not (data / "restoring").exists():
        shutil.rmtree(data)
    restore(dest, data)
    assert not (data / "restoring").exists()
    restored = start_restored(filled, data, tmp_path / "log")
    check_filled(restored.s3())
    restored.close()


# BACKUP-STOP-1
def test_stopping_the_box_stops_the_backup(filled, tmp_path):
    command = start_command("backup", tmp_path / "dest", "--data", filled.data)
    wait_for(lambda: copied(tmp_path / "dest") >= 4)
    began = time.monotonic()
    assert filled.stop() == 0
    assert time.monotonic() - began < 8
    _, told = command.communicate(timeout=60)
    assert command.returncode == 1 and "run the backup again" in told
    filled.start()
    assert back_up(filled, tmp_path / "dest")["complete"]


def test_stop_command(filled, tmp_path):
    command = start_command("backup", tmp_path / "dest", "--data", filled.data)
    wait_for(lambda: copied(tmp_path / "dest") >= 4)
    assert "a backup is running" in fails(run("backup", tmp_path / "other", "--data", filled.data))
    ok(run("backup", "stop", "--data", filled.data))
    _, told = command.communicate(timeout=60)
    assert command.returncode == 1 and "stopped by command" in told
    ok(run("backup", "stop", "--data", filled.data))


# BACKUP-SERVE-1
def test_interrupted_command(filled, tmp_path):
    """The box goes on with it by itself; who asks again for the same waits for the same."""
    command = start_command("backup", tmp_path / "dest", "--data", filled.data)
    wait_for(lambda: copied(tmp_path / "dest") >= 4)
    command.send_signal(signal.SIGINT)
    command.communicate()
    again = back_up(filled, tmp_path / "dest")["generation"]
    assert again in (1, 2)  # 2 where the first was done before it was asked for again
    listed = json.loads(ok(run("backup", "list", tmp_path / "dest", "--json")))
    assert [generation["generation"] for generation in listed] == list(range(1, again + 1))


# BACKUP-LAST-1
def test_how_the_last_one_was(filled, tmp_path):
    def status():
        return json.loads(ok(run("status", "--data", filled.data, "--json")))["backup"]

    def metric(name):
        page = filled.raw(user=None).request("GET", "/-/metrics").body.decode()
        return float(re.search(rf"^{name} (\S+)$", page, re.M).group(1))

    assert status() is None and metric("valise_backup_last_success_timestamp_seconds") == 0
    assert "backup    never" in ok(run("status", "--data", filled.data))
    back_up(filled, tmp_path / "dest")
    first = status()
    assert first["succeeded"] == first["finished"] and first["generation"] == 1
    assert abs(metric("valise_backup_last_success_timestamp_seconds") - time.time()) < 60
    assert metric("valise_backup_last_failed") == 0 and metric("valise_backup_running") == 0
    (tmp_path / "file").write_text("")
    fails(run("backup", tmp_path / "file", "--data", filled.data))
    filled.restart()
    second = status()
    assert second["succeeded"] == first["succeeded"] and second["problem"] and second["generation"] == 0
    assert metric("valise_backup_last_failed") == 1


# BACKUP-KEEP-1
def test_keep(filled, tmp_path):
    dest = tmp_path / "dest"
    for _ in range(3):
        back_up(filled, dest, "--keep", 2)
    assert [g["generation"] for g in json.loads(ok(run("backup", "list", dest, "--json")))] == [2, 3]
    back_up(filled, dest, "--keep", 1)
    assert [g["generation"] for g in json.loads(ok(run("backup", "list", dest, "--json")))] == [4]
    assert copied(dest) == 24 and len(list(dest.glob("box.key-*"))) == 1
    restore(dest, tmp_path / "new")


# BACKUP-DEST-1
def test_wrong_places(filled, new_box, tmp_path):
    data = filled.data
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    (tmp_path / "file").write_text("")
    dest = tmp_path / "dest"
    back_up(filled, dest)
    assert "neither empty nor a backup" in fails(run("backup", tmp_path / "full", "--data", data))
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]
    assert "is no folder" in fails(run("backup", tmp_path / "file", "--data", data))
    assert "no such file" in fails(run("backup", tmp_path / "no" / "where", "--data", data)).lower()
    assert "another box" in fails(run("backup", dest, "--data", new_box().data))
    for inside in (data, data / "kv", data / "deep"):
        assert "box's own folder" in fails(run("backup", inside, "--data", data))
    link = tmp_path / "link"
    link.symlink_to(data / "bodies")
    assert "box's own folder" in fails(run("backup", link, "--data", data))
    for verb in (("restore",), ("backup", "list"), ("backup", "verify")):
        extra = ("--data", tmp_path / "new") if verb == ("restore",) else ()
        assert "no backup here" in fails(run(*verb, tmp_path / "full", *extra))
        assert "no backup here" in fails(run(*verb, tmp_path / "none", *extra))
    assert not (tmp_path / "new").exists()
    assert "no generation 7" in fails(run("restore", dest, "--data", tmp_path / "new", "--generation", 7))
    assert "neither empty nor a box" in fails(run("restore", dest, "--data", tmp_path / "full"))
    assert "there is a box already" in fails(run("restore", dest, "--data", data))
    assert "no box here" in fails(run("backup", dest, "--data", tmp_path / "none"))


def test_newer_format(filled, tmp_path):
    dest = tmp_path / "dest"
    back_up(filled, dest)
    marker = dest / "valise-backup"
    marker.write_bytes(b"\x02" + marker.read_bytes()[1:])
    for args in (("backup", dest, "--data", filled.data), ("backup", "list", dest),
                 ("restore", dest, "--data", tmp_path / "new")):
        assert "newer version" in fails(run(*args))


@pytest.mark.parametrize("args", [
    ("backup",), ("backup", "x"), ("backup", "--data", "x"), ("backup", "x", "y", "--data", "z"),
    ("backup", "x", "--data", "y", "--keep", "0"), ("backup", "x", "--data", "y", "--keep", "many"),
    ("backup", "list"), ("backup", "verify"), ("backup", "verify", "x", "--generation", "0"), ("backup", "stop"),
    ("restore",), ("restore", "x"), ("restore", "x", "--data", "y", "--generation", "-1")])
def test_usage(args, tmp_path):
    fails(run(*args, cwd=tmp_path), 2)
    assert list(tmp_path.iterdir()) == []


def test_help():
    for args in (("help", "backup"), ("backup", "--help"), ("help", "backup", "list"), ("help", "restore")):
        assert "Usage: valise" in ok(run(*args))
    assert "as secret as the box" in ok(run("help", "backup"))


# BACKUP-FULL-1
def test_full_disk_of_the_box(filled, tmp_path):
    """Past its high-water mark the box makes no backup: what it holds may have to be freed."""
    disk = os.statvfs(filled.data)
    if disk.f_bavail * 10 > disk.f_blocks * 8:
        pytest.skip("this disk is nearly empty")
    filled.stop()
    filled.args += ["--store-full-percent", "10"]
    filled.start()
    wait_for(lambda: json.loads(ok(run("status", "--data", filled.data, "--json")))["disk"]["full"])
    assert "disk is full" in fails(run("backup", tmp_path / "dest", "--data", filled.data))


def test_relative_place(filled, tmp_path):
    """The command's folder counts, not the box's."""
    ok(run("backup", "dest", "--data", filled.data, cwd=tmp_path, timeout=120))
    assert (tmp_path / "dest" / "valise-backup").exists()
    ok(run("backup", "../" + tmp_path.name + "/dest/", "--data", filled.data, cwd=tmp_path, timeout=120))
