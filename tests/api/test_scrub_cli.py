"""`valise scrub`: what scripts rely on. On a running and on a stopped box it reads everything, names
what is not what was stored, and says so by its exit code."""
import json
import random

import pytest

from box import run

STATUS = {"running", "failed", "phase", "started", "finished", "bodies", "bytes", "large_bytes_total",
          "rot", "findings"}
LARGE = 300_000  # a body in a segment
LINE = "{} bodies, {:.1f} MiB read: {} not what was stored"


def body_of(number, size=LARGE):
    return random.Random(number).randbytes(size)


def scrub(box):
    """(exit code, report)"""
    done = run("scrub", "--data", box.data, "--json")
    report = json.loads(done.stdout)
    assert set(report) >= STATUS, report
    return done.returncode, report


def flip(box, body, at):
    """A bit of a body in its segment, while the box is stopped."""
    for path in sorted(box.data.glob("bodies/*.seg")):
        begins = path.read_bytes().find(body[:64])
        if begins >= 0:
            with open(path, "r+b") as file:
                file.seek(begins + at)
                byte = file.read(1)[0]
                file.seek(begins + at)
                file.write(bytes([byte ^ 0x10]))
            return
    raise AssertionError("the body is nowhere to be found")


@pytest.fixture
def filled(new_box):
    """A running box with three large bodies and a small one in bucket "bkt"."""
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    for number in range(3):
        s3.put_object(Bucket="bkt", Key=f"k{number}", Body=body_of(number))
    s3.put_object(Bucket="bkt", Key="small", Body=b"small")
    return box


def both_ways(box):
    """The box running, then stopped, then running again for the end of the test."""
    yield "running"
    assert box.stop() == 0
    yield "stopped"
    box.start()


def test_sound(filled):
    for way in both_ways(filled):
        code, report = scrub(filled)
        assert code == 0 and report["rot"] == 0 and report["findings"] == [], (way, report)
        assert report["finished"] and report["phase"] == "done" and not report["running"]
        assert report["bodies"] == 4 and report["bytes"] >= 3 * LARGE
        done = run("scrub", "--data", filled.data)
        assert (done.returncode, done.stderr) == (0, ""), (way, done)
        assert done.stdout == LINE.format(4, report["bytes"] / 2**20, 0) + "\n"


def test_rot_is_found_and_named(filled):
    assert filled.stop() == 0
    flip(filled, body_of(1), LARGE // 2)
    filled.start()
    for way in both_ways(filled):
        code, report = scrub(filled)
        assert code == 1 and report["rot"] == 1, (way, report)
        assert len(report["findings"]) == 1 and "bkt/k1 " in report["findings"][0], (way, report)
        done = run("scrub", "--data", filled.data)
        lines = done.stdout.splitlines()
        assert done.returncode == 1 and lines == [*report["findings"],
                                                  LINE.format(4, report["bytes"] / 2**20, 1)], (way, done)
    s3 = filled.s3()
    assert s3.get_object(Bucket="bkt", Key="k0")["Body"].read() == body_of(0)  # the others are served
    s3.put_object(Bucket="bkt", Key="k1", Body=body_of(1))  # and put right
    assert scrub(filled)[0] == 0


def test_rot_below_a_name_with_a_newline(filled):
    """One line a finding, whatever the key; the same for the audit log (BOX-AUDIT-6)."""
    key = "a\n0 bodies, 0.0 MiB read\x1b[2J ü"
    s3 = filled.s3()
    s3.put_object(Bucket="bkt", Key=key, Body=body_of(9))
    assert filled.stop() == 0
    flip(filled, body_of(9), 5)
    filled.start()
    done = run("scrub", "--data", filled.data)
    lines = done.stdout.splitlines()
    assert done.returncode == 1 and len(lines) == 2 and "\x1b" not in done.stdout, done
    for _ in range(20):
        assert filled.raw().request("GET", "/bkt/a%0A0%20bodies%2C%200.0%20MiB%20read%1B%5B2J%20%C3%BC").status == 500
    told = [json.loads(line) for line in run("audit", "--data", filled.data, "--json").stdout.splitlines()]
    rot = [entry for entry in told if entry["action"] == "rot:read"]
    assert sum(entry["count"] for entry in rot) == 20 and len(rot) <= 2, rot
    assert rot[0]["resource"] == ("arn:aws:s3:::bkt/a\\x0a0\\x20bodies,\\x200.0\\x20MiB\\x20read\\x1b[2J"
                                  "\\x20\\xc3\\xbc")
    ends = [entry for entry in told if entry["action"] == "scrub:end"]
    assert ends[-1]["result"] == "damaged" and ends[-1]["detail"].endswith(", 1 not what was stored")
    assert len(run("audit", "--data", filled.data).stdout.splitlines()) == len(told) + 1


def test_a_missing_segment(filled):
    assert filled.stop() == 0
    for path in filled.data.glob("bodies/*.seg"):
        path.unlink()
    done = run("scrub", "--data", filled.data)
    assert done.returncode == 1 and (done.stdout or done.stderr), done
    assert run("status", "--data", filled.data).returncode in (0, 1)
    filled.process = None  # what a box without its bodies does is told elsewhere


def test_usage(tmp_path):
    for args in (("--data", tmp_path, "more"), ("--data", tmp_path, "--rate", "1"), ("--data",)):
        done = run("scrub", *args)
        assert done.returncode == 2 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done
    done = run("scrub", "--data", tmp_path / "nothing")
    assert done.returncode == 1 and done.stdout == "" and len(done.stderr.splitlines()) == 1, done
