"""The disk of a backup that loses power or is full, and that of a restored box: what counts as
complete is whole, earlier backups stay, and the next run goes on.

Seen to fail with a catalog that is written before what it names is synced.
"""
import json
import random
import shutil
import subprocess
import time

import pytest

import box as box_module
from box import Keys, run
from disk import Disk
from ledger import Ledger, body_of
from powercut import Disk as CutDisk

MIB = 1 << 20
SIZES = (100, 5000, 60_000, 200_000, 3 * MIB)


@pytest.fixture
def cut_disk(need, tmp_path):
    need("mkfs.ext4", "losetup", "mount", root=True)
    with CutDisk(tmp_path) as made:
        yield made


@pytest.fixture
def filled(make_box, connect):
    """A running box, a client of it, and what it was told."""
    box = make_box()
    client = connect(box)
    ledger = Ledger(client.make_bucket("backup"))
    write(client, ledger, 20)
    return box, client, ledger


def write(client, ledger, count):
    for _ in range(count):
        number = len(ledger.may)
        assert ledger.write(client, f"key{number}", body_of(number, SIZES[number % len(SIZES)])).ok


def start(*args):
    return subprocess.Popen([box_module.program(), *map(str, args)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def cut_power(disk, command, moment_s):
    """Returns the command's exit code, once the file system is back."""
    time.sleep(moment_s)
    disk.cut()
    command.communicate(timeout=60)
    disk.unmount()
    disk.mount()
    return command.returncode


def generations(dest):
    done = run("backup", "list", dest, "--json")
    return [g["generation"] for g in json.loads(done.stdout)] if done.returncode == 0 else []


def check_restored(make_box, connect, data, ledger, users):
    restored = make_box(start=False, data=data)
    restored.users = {name: Keys(vars(keys)) for name, keys in users.items()}
    restored.start()
    ledger.check(connect(restored))
    restored.close()


# BACKUP-STOP-1
def test_power_cuts(filled, cut_disk, make_box, connect, long, tmp_path):
    box, client, ledger = filled
    dest, seed = cut_disk.mount_point / "dest", random.randrange(1 << 30)
    rng, done = random.Random(seed), []
    print("seed", seed)
    for _ in range(60 if long else 8):
        write(client, ledger, 6)
        command = start("backup", dest, "--data", box.data, "--keep", 3)
        code = cut_power(cut_disk, command, rng.uniform(0, 0.8))
        there = generations(dest)
        if code == 0:
            done.append(there[-1])  # it said so: it is there
        assert not done or done[-1] in there, (done, there)
        for number in there:
            assert run("backup", "verify", dest, "--generation", number).returncode == 0, number
    assert run("backup", dest, "--data", box.data).returncode == 0
    assert run("restore", dest, "--data", tmp_path / "new").returncode == 0
    check_restored(make_box, connect, tmp_path / "new", ledger, box.users)


# BOX-RESTORE-1
def test_power_cuts_of_a_restore(filled, cut_disk, make_box, connect, long, tmp_path):
    box, client, ledger = filled
    write(client, ledger, 20)
    assert run("backup", tmp_path / "dest", "--data", box.data).returncode == 0
    data, rng = cut_disk.mount_point / "new", random.Random()
    for _ in range(40 if long else 8):
        command = start("restore", tmp_path / "dest", "--data", data)
        code = cut_power(cut_disk, command, rng.uniform(0, 0.4))
        is_box = run("status", "--data", data).returncode == 0
        assert is_box or code != 0
        if is_box:
            assert json.loads(run("scrub", "--data", data, "--json").stdout)["rot"] == 0
            shutil.rmtree(data)
    if data.exists() and not (data / "restoring").exists() and any(data.iterdir()):
        shutil.rmtree(data)
    assert run("restore", tmp_path / "dest", "--data", data).returncode == 0
    check_restored(make_box, connect, data, ledger, box.users)


# BACKUP-STOP-1, BACKUP-FAULT-2
def test_full_disk_of_the_backup(filled, need, tmp_path):
    need("mkfs.ext4", "losetup", "mount", root=True)
    box, client, ledger = filled
    with Disk(96 * MIB) as disk:
        dest = disk.path / "dest"
        assert run("backup", dest, "--data", box.data).returncode == 0
        write(client, ledger, 20)
        for leave in (0, 1 * MIB, 4 * MIB):
            disk.fill(leave)
            failed = run("backup", dest, "--data", box.data)
            assert failed.returncode == 1 and "no space left for the backup" in failed.stderr, failed
            assert generations(dest) == [1]
            assert run("backup", "verify", dest).returncode == 0
            disk.give_back()
        assert client.health()[0] == 200
        assert run("backup", dest, "--data", box.data).returncode == 0
        assert len(generations(dest)) == 2
        assert run("restore", dest, "--data", tmp_path / "new").returncode == 0
