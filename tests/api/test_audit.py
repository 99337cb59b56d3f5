"""The audit log: who did what, told by `valise audit`; the chain of it; what strangers can do to it."""
import json
import os
import pwd
import re
import time

import pytest
from botocore.exceptions import ClientError

import box as box_module
import sigv4
from box import Keys, run

MEMBERS = {"seq", "time", "user", "access_key", "uid", "address", "action", "resource", "result",
           "count", "detail", "request_id", "hash"}
REPORT = {"intact", "entries", "first_seq", "last_seq", "hash", "broken_seq", "why"}
US = pwd.getpwuid(os.getuid()).pw_name


def entries(data, *more):
    done = run("audit", "--data", data, "--json", *more)
    assert done.returncode == 0, done
    return [json.loads(line) for line in done.stdout.splitlines()]


def verify(data):
    """The report; it is intact."""
    done = run("audit", "--data", data, "--verify", "--json")
    assert done.returncode == 0, done
    report = json.loads(done.stdout)
    assert set(report) == REPORT and report["intact"] and report["broken_seq"] is None, report
    return report


def of_action(data, action):
    return [entry for entry in entries(data) if entry["action"] == action]


@pytest.fixture
def made(tmp_path):
    """A stopped box."""
    done = run("init", "--data", tmp_path / "box")
    assert done.returncode == 0, done
    return tmp_path / "box", Keys(json.loads(done.stdout))


def test_a_new_box(made):
    data, keys = made
    first, second = entries(data)
    assert set(first) == MEMBERS
    assert (first["seq"], first["action"], first["result"]) == (1, "box:make", "ok")
    assert json.loads(run("status", "--data", data, "--json").stdout)["box_id"] == first["resource"]
    assert (second["action"], second["resource"]) == ("key:create", keys.access_key)
    assert second["detail"] == "user admin"
    assert {(entry["uid"], entry["user"], entry["address"]) for entry in (first, second)} == {
        (os.getuid(), US, None)}
    assert verify(data)["last_seq"] == 2


# BOX-AUDIT-1
def test_keys(made):
    data, _ = made
    before = len(entries(data))
    ids = [json.loads(run("key", "create", "--data", data, "--user", name, "--json").stdout)["access_key"]
           for name in ("ann", "bob")]
    assert run("key", "disable", "--data", data, ids[0]).returncode == 0
    assert run("key", "delete", "--data", data, ids[1]).returncode == 0
    assert run("key", "delete", "--data", data, "nobody").returncode == 1  # changed nothing
    told = [(entry["action"], entry["resource"], entry["detail"]) for entry in entries(data)[before:]]
    assert told == [("key:create", ids[0], "user ann"), ("key:create", ids[1], "user bob"),
                    ("key:disable", ids[0], "user ann"), ("key:delete", ids[1], "user bob")]
    verify(data)


def test_since_and_usage(made):
    data, _ = made
    assert [entry["seq"] for entry in entries(data, "--since", "2")] == [2]
    assert entries(data, "--since", "3") == []
    for bad in ("x", "-1", "99999999999999999999"):
        done = run("audit", "--data", data, "--since", bad)
        assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done
    done = run("audit", "--data", data / "nowhere")
    assert done.returncode == 1 and done.stdout == "", done


def test_the_table(made):
    data, keys = made
    lines = run("audit", "--data", data).stdout.splitlines()
    assert lines[0].split() == ["ENTRY", "TIME", "WHO", "ACCESS", "KEY", "FROM", "ACTION", "RESULT", "RESOURCE"]
    assert len(lines) == 3
    assert lines[2].split()[2:] == [US, "-", "local", "key:create", "ok", keys.access_key, "(user", "admin)"]
    report = verify(data)
    lines = run("audit", "--data", data, "--verify").stdout.splitlines()
    assert lines == ["entries  1 to 2 follow one another", f"hash     {report['hash']} of entry 2"]


# BOX-AUDIT-1
def test_changes_of_buckets(new_box):
    box = new_box()
    before = len(entries(box.data))
    s3 = box.s3("ann")
    tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
    calls = {"CreateBucket": lambda: s3.create_bucket(Bucket="photos"),
             "PutBucketVersioning": lambda: s3.put_bucket_versioning(
                 Bucket="photos", VersioningConfiguration={"Status": "Enabled"}),
             "PutBucketTagging": lambda: s3.put_bucket_tagging(Bucket="photos", Tagging=tags),
             "DeleteBucketTagging": lambda: s3.delete_bucket_tagging(Bucket="photos"),
             "DeleteBucket": lambda: s3.delete_bucket(Bucket="photos")}
    ids = {name: call()["ResponseMetadata"]["RequestId"] for name, call in calls.items()}
    told = [entry for entry in entries(box.data)[before:] if entry["action"].startswith("s3:")]
    assert [entry["action"] for entry in told] == [f"s3:{name}" for name in calls]
    for entry, request in zip(told, ids.values()):
        assert (entry["user"], entry["access_key"]) == ("ann", box.user("ann").access_key)
        assert (entry["address"], entry["resource"]) == ("127.0.0.1", "arn:aws:s3:::photos")
        assert (entry["request_id"], entry["result"], entry["uid"]) == (request, "ok", None)
    verify(box.data)


def test_what_is_not_told(new_box):
    """Objects have their log line and their change; calls that read or fail change no bucket."""
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    s3.put_bucket_versioning(Bucket="bkt", VersioningConfiguration={"Status": "Enabled"})
    before = len(entries(box.data))
    version = s3.put_object(Bucket="bkt", Key="k", Body=b"x")["VersionId"]
    s3.get_object(Bucket="bkt", Key="k")
    s3.delete_object(Bucket="bkt", Key="k", VersionId=version)
    s3.put_object(Bucket="bkt", Key="k", Body=b"x")
    s3.list_buckets()
    s3.get_bucket_versioning(Bucket="bkt")
    for refused in (lambda: s3.delete_bucket(Bucket="bkt"), lambda: s3.delete_bucket(Bucket="nothing"),
                    lambda: s3.create_bucket(Bucket="bkt")):
        with pytest.raises(ClientError):
            refused()
    assert len(entries(box.data)) == before


# BOX-AUDIT-5
def test_a_thousand_bad_signatures(new_box):
    box = new_box()
    keys = box.user("ann")
    before = entries(box.data)[-1]["seq"]
    commits = re.compile(rb"^valise_commit_batches_total (\d+)$", re.M)
    committed = int(commits.search(box.raw(None).request("GET", "/-/metrics").body).group(1))
    wrong = box.raw("ann")
    wrong.keys = Keys({**vars(keys), "secret_key": "not the secret at all"})
    for _ in range(1000):
        assert wrong.request("GET", "/bkt/k").code == "SignatureDoesNotMatch"
    metrics = box.raw(None).request("GET", "/-/metrics").body
    assert int(commits.search(metrics).group(1)) - committed < 10
    assert b"\nvalise_audit_counted_total 1000\n" in metrics
    told = [entry for entry in entries(box.data, "--since", before + 1) if entry["action"] == "auth:refused"]
    assert 1 <= len(told) <= 3 and sum(entry["count"] for entry in told) == 1000, told
    assert {(entry["result"], entry["access_key"], entry["user"], entry["address"]) for entry in told} == {
        ("SignatureDoesNotMatch", keys.access_key, "ann", "127.0.0.1")}
    verify(box.data)


# BOX-AUDIT-6
def test_what_strangers_send_is_not_kept(new_box):
    """Neither a secret that was pasted as a key's name, nor a path that forges a line."""
    box = new_box()
    pasted = box.raw()
    pasted.keys = Keys({**vars(box.admin), "access_key": box.admin.secret_key[:40]})
    assert pasted.request("GET", "/bkt/k").status in (400, 403)
    box.raw(None).request("GET", "/bkt/%0A%20%20%201%20%20forged%1B%5B2J")
    text = run("audit", "--data", box.data).stdout
    assert box.admin.secret_key not in text and "forged" not in text and "\x1b" not in text
    told = of_action(box.data, "auth:refused")
    assert {entry["result"] for entry in told} >= {"AccessDenied"}
    assert all(entry["access_key"] is None and entry["resource"] is None for entry in told)
    for keys in box.users.values():
        assert keys.secret_key not in json.dumps(entries(box.data))


def test_denied_and_malformed(new_box, refused):
    box = new_box()
    box.s3().create_bucket(Bucket="mine")
    with refused("AccessDenied", 403):
        box.s3("ann").delete_bucket(Bucket="mine")
    skewed = box.raw(when=sigv4.now().replace(year=2020))
    assert skewed.request("GET", "/mine").code == "RequestTimeTooSkewed"
    answer = box.raw(None).request("GET", "/mine", headers=[("Authorization", "AWS4-HMAC-SHA256 nonsense")])
    assert answer.status == 400
    assert box.raw(None).request("GET", "/-/health").status == 200  # asks for no signature: no refusal
    told = {entry["result"]: entry["user"] for entry in of_action(box.data, "auth:refused")}
    assert told == {"AccessDenied": "ann", "RequestTimeTooSkewed": None, answer.code: None}


def test_running_and_stopped_tell_the_same(new_box):
    box = new_box()
    box.s3().create_bucket(Bucket="bkt")
    running = entries(box.data)
    table = run("audit", "--data", box.data).stdout
    head = verify(box.data)
    assert box.stop() == 0
    stopped = entries(box.data)
    assert stopped[:len(running)] == running
    assert [entry["action"] for entry in stopped[len(running):]] == ["box:stop"]
    assert run("audit", "--data", box.data).stdout.startswith(table)
    assert verify(box.data)["entries"] == head["entries"] + 1
    assert stopped[head["last_seq"] - 1]["hash"] == head["hash"]  # what was noted still stands
    box.start()
    assert entries(box.data)[:len(stopped)] == stopped


# BOX-AUDIT-2
def test_killed(new_box):
    """What was answered is told, whenever the box is killed."""
    box = new_box()
    for number in range(3):
        s3 = box.s3()
        for each in range(10):
            s3.create_bucket(Bucket=f"b-{number}-{each}")
        head = verify(box.data)
        box.kill()
        assert verify(box.data)["last_seq"] == head["last_seq"]  # stopped: nothing was lost or added
        box.start()
    told = [entry["resource"] for entry in of_action(box.data, "s3:CreateBucket")]
    assert told == [f"arn:aws:s3:::b-{number}-{each}" for number in range(3) for each in range(10)]
    assert len(of_action(box.data, "box:start")) == 4 and of_action(box.data, "box:stop") == []


def test_starts_stops_and_settings(new_box):
    box = new_box(settings=())
    version = run("version").stdout.split()[1]
    box.args = ["--api-region", "eu-west-1", "--scrub-days", "7"]
    box.restart()
    box.args = ["--scrub-days", "7"]
    box.restart()
    assert box.stop() == 0
    told = [(entry["action"], entry["resource"], entry["detail"])
            for entry in entries(box.data) if entry["action"] in ("box:start", "box:stop", "settings:change")]
    assert [entry[0] for entry in told if entry[0] != "settings:change"] == ["box:start", "box:stop"] * 3
    assert {entry[2] for entry in told if entry[0] != "settings:change"} == {f"version {version}"}
    changes = [entry[1:] for entry in told if entry[0] == "settings:change" and entry[1] not in ("api", "console")]
    assert changes == [("api.region", "'' -> 'eu-west-1'"), ("scrub.days", "'30' -> '7'"),
                       ("api.region", "'eu-west-1' -> ''")]
    box.start()  # as it was: nothing changed
    assert len(of_action(box.data, "settings:change")) == len(told) - 6


# BOX-AUDIT-4
def test_trimmed(new_box):
    box = new_box(args=("--audit-entries-max", "100"))
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    for _ in range(120):
        s3.delete_bucket_tagging(Bucket="bkt")
    noted = verify(box.data)
    assert noted["first_seq"] == 1 and noted["last_seq"] > 120
    box.restart()  # a box that starts looks soon, a running one each minute
    deadline = time.monotonic() + 10
    while verify(box.data)["first_seq"] == 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    report = verify(box.data)
    kept = entries(box.data)
    trim = [entry for entry in kept if entry["action"] == "audit:trim"][0]
    assert report["first_seq"] == kept[0]["seq"] > 1
    assert 90 <= report["entries"] <= 100
    assert trim["resource"] == f"1-{report['first_seq'] - 1}" and re.search("[0-9a-f]{64}$", trim["detail"])
    assert noted["hash"] in {entry["hash"] for entry in kept}


def both_ways(box):
    yield "running"
    assert box.stop() == 0
    yield "stopped"
    box.start()


def test_scrubs_and_backups_are_told(new_box, tmp_path):
    box = new_box()
    box.s3().create_bucket(Bucket="bkt")
    for way in both_ways(box):
        before = len(entries(box.data))
        assert run("scrub", "--data", box.data).returncode == 0
        assert run("backup", tmp_path / "copy", "--data", box.data).returncode == 0
        told = [(entry["action"], entry["result"], entry["resource"]) for entry in entries(box.data)[before:]]
        assert told == [("scrub:start", "ok", None), ("scrub:end", "ok", None),
                        ("backup:start", "ok", str(tmp_path / "copy")), ("backup:end", "ok", None)], way


# BOX-AUDIT-2
def test_a_restored_box_goes_on(new_box, tmp_path):
    """Its log is that of the box it was made of, as it was then."""
    box = new_box()
    box.s3().create_bucket(Bucket="bkt")
    noted = verify(box.data)
    assert run("backup", tmp_path / "copy", "--data", box.data).returncode == 0
    assert run("restore", tmp_path / "copy", "--data", tmp_path / "box").returncode == 0
    assert run("key", "create", "--data", tmp_path / "box", "--user", "ann").returncode == 0
    verify(tmp_path / "box")
    told = entries(tmp_path / "box")
    assert told[noted["last_seq"] - 1]["hash"] == noted["hash"]
    assert told[-1]["action"] == "key:create"


def test_many_entries(new_box):
    """More than one page."""
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    for _ in range(1050):
        s3.delete_bucket_tagging(Bucket="bkt")
    assert [entry["seq"] for entry in entries(box.data)] == list(range(1, verify(box.data)["last_seq"] + 1))


def test_the_output_cannot_be_written(made):
    with open("/dev/full", "w") as full:
        done = box_module.subprocess.run([box_module.program(), "audit", "--data", str(made[0])], stdout=full,
                                         stderr=box_module.subprocess.PIPE)
    assert done.returncode == 1
