"""BOX-AUDIT-7: a change whose entry cannot be written is not answered as done: the first sync of a
CreateBucket (the bucket's) is let through, the second (its entry's) fails. And whatever fails, the
chain that is found afterwards is whole.

Seen to fail with a witness_changed() that drops the log's error.
"""
import json

import box as box_module
from client import until
from disk import Disk
from tracing import Tracer

SETTINGS = ("--store-segment-bytes", "16M", "--store-reserve-bytes", "64M", "--store-memtable-bytes", "4M")


def audit(box, *options):
    done = box_module.run("audit", "--data", box.data, "--json", *options)
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_entry_that_cannot_be_written(make_box, connect, need):
    need("strace")
    box = make_box()
    client = connect(box)
    client.make_bucket("before")
    last = audit(box)[-1]
    with Tracer(box, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=2"):
        answer = client.request("PUT", "/unseen")
    assert answer.status in (500, 503) and not answer.ok, answer
    assert client.request("GET", "/before").status == 200  # reads go on
    assert client.request("PUT", "/later").status == 503  # after a sync that failed nothing is written
    assert audit(box)[-1] == last
    assert b"\nvalise_audit_failures_total 1\n" in client.request("GET", "/-/metrics").body
    box.kill()
    box.start()
    client = connect(box)
    assert client.request("HEAD", "/unseen").status == 200  # done, and never answered as done
    assert audit(box, "--verify")[0]["intact"]
    assert audit(box)[:last["seq"]][-1] == last
    client.make_bucket("after")
    assert audit(box)[-1]["resource"] == "arn:aws:s3:::after"


def test_a_key_whose_entry_cannot_be_written(make_box, need):
    """The key and its entry are one commit: neither is there."""
    need("strace")
    box = make_box()
    with Tracer(box, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO:when=1"):
        done = box_module.run("key", "create", "--data", box.data, "--user", "ann", "--json")
    assert done.returncode == 1 and done.stdout == "", done
    box.kill()
    box.start()
    keys = json.loads(box_module.run("key", "list", "--data", box.data, "--json").stdout)
    told = [entry["resource"] for entry in audit(box) if entry["action"] == "key:create"]
    assert sorted(key["access_key"] for key in keys) == sorted(told)
    assert audit(box, "--verify")[0]["intact"]


def test_a_start_on_a_full_disk(make_box, connect, need):
    """The box starts without telling of it, and tells of it once there is room. What frees space is
    told on the full disk, too."""
    need("mkfs.ext4", "losetup", "mount", root=True)
    with Disk(320 << 20) as disk:
        box = make_box(settings=SETTINGS, data=disk.path / "data")
        connect(box).make_bucket("bkt")
        assert box.stop() == 0
        disk.fill()
        box.start()
        client = connect(box)
        assert client.health()[0] == 503
        assert client.request("DELETE", "/bkt").status == 204
        told = [entry["action"] for entry in audit(box)]
        assert told.count("box:start") == 1 and told[-1] == "s3:DeleteBucket"
        disk.give_back()
        assert until(lambda: client.health()[0] == 200, 10)
        assert until(lambda: [each["action"] for each in audit(box)].count("box:start") == 2, 20)
        assert audit(box, "--verify")[0]["intact"]
        assert box.stop() == 0
