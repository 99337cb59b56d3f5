"""The command line: what scripts rely on (the interface contract), exit codes, first-run.json."""
import json
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

import box as box_module
import checksums
import raw as raw_module
from box import Box, Keys, run

FIRST_RUN = {"box_id", "account_id", "user", "user_id", "access_key", "secret_key", "claim_code"}
KEY = {"user", "user_id", "access_key", "created", "last_used", "enabled"}


def ok(done):
    assert done.returncode == 0, done
    return done.stdout


def fails(done, code=1):
    """One line on stderr, nothing on stdout."""
    assert done.returncode == code, done
    assert done.stdout == "" and len(done.stderr.strip().splitlines()) == 1, done
    return done.stderr


@pytest.fixture
def made(tmp_path):
    """A folder in which `valise init` made a box, and what it printed."""
    return tmp_path / "box", json.loads(ok(run("init", "--data", tmp_path / "box")))


def check_first_run(members):
    assert set(members) == FIRST_RUN
    assert members["account_id"] == "000000000000"
    assert re.fullmatch(r"[0-9a-f]{64}", members["user_id"])
    assert len(members["secret_key"]) >= 16 and members["claim_code"] and members["user"]


def test_init(made):
    folder, members = made
    check_first_run(members)
    assert not (folder / "first-run.json").exists()
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


def test_what_init_printed_works(made, tmp_path):
    folder, members = made
    box = Box(tmp_path, data=folder)
    box.users["admin"] = Keys(members)
    box.start()
    box.s3().create_bucket(Bucket="bkt")
    box.close()


def test_two_boxes_have_nothing_in_common(tmp_path):
    first, second = (json.loads(ok(run("init", "--data", tmp_path / name))) for name in "ab")
    for name in FIRST_RUN - {"account_id", "user"}:
        assert first[name] != second[name], name


@pytest.mark.parametrize("text, secret", [("a secret of mine!\n", "a secret of mine!"), ("x" * 40, "x" * 40)])
def test_init_with_credentials(tmp_path, text, secret):
    file = tmp_path / "secret"
    file.write_text(text)
    members = json.loads(ok(run("init", "--data", tmp_path / "box", "--access-key", "MYKEY",
                                "--secret-key-file", file)))
    assert (members["access_key"], members["secret_key"]) == ("MYKEY", secret)
    box = Box(tmp_path, data=tmp_path / "box")
    box.users["admin"] = Keys(members)
    box.start()
    assert box.s3().list_buckets()["Buckets"] == []
    box.close()


@pytest.mark.parametrize("text", ["short\n", "", "has a tab\tin it, long enough", "ü" * 20])
def test_init_with_a_bad_secret(tmp_path, text):
    file = tmp_path / "secret"
    file.write_text(text)
    args = ("init", "--data", tmp_path / "box", "--access-key", "MYKEY", "--secret-key-file", file)
    fails(run(*args))
    file.write_text("long enough to be one")
    ok(run(*args))


def test_init_twice(made):
    folder, _ = made
    fails(run("init", "--data", folder))
    ok(run("status", "--data", folder))


def test_init_where_other_things_are(tmp_path):
    (tmp_path / "a file").write_text("mine")
    fails(run("init", "--data", tmp_path))
    fails(run("serve", "--data", tmp_path, "--api", "127.0.0.1:0", "--console", "-"))
    assert [entry.name for entry in tmp_path.iterdir() if entry.name != "lock"] == ["a file"]


# BOX-INIT-1
def test_init_that_cannot_print_makes_no_box(tmp_path):
    """The credentials are told once: where that fails there is no box without an owner."""
    with open("/dev/full", "w") as full:
        done = subprocess.run([box_module.program(), "init", "--data", str(tmp_path / "box")], stdout=full,
                              stderr=subprocess.PIPE)
    assert done.returncode == 1
    check_first_run(json.loads(ok(run("init", "--data", tmp_path / "box"))))


@pytest.mark.parametrize("args", [
    (), ("nothing",), ("init",), ("serve",), ("key",), ("key", "make"), ("status",), ("key", "create", "--data", "x"),
    ("key", "disable", "--data", "x"), ("init", "--data"), ("init", "--unknown"), ("serve", "--data", "x", "more"),
    ("serve", "--data", "x", "--api", "nonsense"), ("serve", "--data", "x", "--store-segment-bytes", "7"),
    ("serve", "--data", "x", "--config", "/not/there"), ("status", "--data", "x", "--api", "y"),
    ("init", "--data", "x", "--access-key", "a"), ("serve", "--data", "x", "--log-level", "loud")])
def test_usage(args, tmp_path):
    """Exit code 2; and nothing is made."""
    fails(run(*args, cwd=tmp_path), 2)
    assert list(tmp_path.iterdir()) == []


def test_help_and_version():
    assert re.search(r"\d+\.\d+", ok(run("version")))
    assert "serve" in ok(run("help")) and "--api" in ok(run("serve", "--help"))
    for command in ("init", "key", "status", "version"):
        ok(run("help", command))


def test_no_box(tmp_path):
    for args in (("status",), ("key", "list"), ("key", "create", "--user", "x"), ("key", "disable", "X")):
        fails(run(*args, "--data", tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_serve_makes_a_new_box(new_box):
    box = new_box()
    path = box.data / "first-run.json"
    members = json.loads(path.read_text())
    check_first_run(members)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = "".join(box.lines)
    assert str(path) in text
    assert members["secret_key"] not in text and members["claim_code"] not in text
    assert re.search(r"^ready api=http://127\.0\.0\.1:\d+ console=-$", text, re.M)
    box.restart()
    assert json.loads(path.read_text()) == members


def test_data_from_the_environment(made):
    folder, members = made
    status = json.loads(ok(run("status", "--json", env={"VALISE_DATA": str(folder)})))
    assert status["box_id"] == members["box_id"]


def key_calls(folder):
    """The life of keys, on a box that runs or not."""
    made = json.loads(ok(run("key", "create", "--data", folder, "--user", "ann", "--json")))
    assert set(made) == KEY | {"secret_key"} and made["user"] == "ann" and made["enabled"] is True
    assert re.fullmatch(r"[0-9a-f]{64}", made["user_id"]) and made["last_used"] is None
    again = json.loads(ok(run("key", "create", "--data", folder, "--user", "ann", "--json")))
    assert again["user_id"] == made["user_id"] and again["access_key"] != made["access_key"]
    listed = json.loads(ok(run("key", "list", "--data", folder, "--json")))
    assert all(set(entry) == KEY for entry in listed)
    assert {made["access_key"], again["access_key"]} <= {entry["access_key"] for entry in listed}
    ok(run("key", "disable", made["access_key"], "--data", folder))
    ok(run("key", "delete", again["access_key"], "--data", folder))
    listed = json.loads(ok(run("key", "list", "--data", folder, "--json")))
    by_id = {entry["access_key"]: entry for entry in listed}
    assert by_id[made["access_key"]]["enabled"] is False and again["access_key"] not in by_id
    for action in ("disable", "delete"):
        fails(run("key", action, "NOSUCHKEY", "--data", folder))
    for user in ("", "a" * 200, "a\nb"):
        assert run("key", "create", "--data", folder, "--user", user).returncode in (1, 2)
    assert made["access_key"] in ok(run("key", "list", "--data", folder))
    ok(run("key", "delete", made["access_key"], "--data", folder))


def test_keys_of_a_stopped_box(made):
    key_calls(made[0])


def test_keys_of_a_running_box(new_box):
    key_calls(new_box().data)


def test_last_used(new_box):
    box = new_box()
    keys = box.user("ann")
    box.s3("ann").list_buckets()
    box.restart()
    listed = json.loads(ok(run("key", "list", "--data", box.data, "--json")))
    used = {entry["access_key"]: entry["last_used"] for entry in listed}
    assert used[keys.access_key] and used[keys.access_key].endswith("Z")


def test_status(new_box):
    box = new_box()
    box.s3().create_bucket(Bucket="bkt")
    running = json.loads(ok(run("status", "--data", box.data, "--json")))
    assert running["running"] is True and running["healthy"] is True and running["reasons"] == []
    assert running["buckets"] == 1 and running["account_id"] == "000000000000"
    assert "running" in ok(run("status", "--data", box.data))
    assert box.stop() == 0
    stopped = json.loads(ok(run("status", "--data", box.data, "--json")))
    assert stopped["running"] is False and stopped["box_id"] == running["box_id"]
    box.start()


def test_a_second_serve_on_the_same_data(new_box):
    box = new_box()
    fails(run("serve", "--data", box.data, "--api", "127.0.0.1:0", "--console", "-"))
    fails(run("init", "--data", box.data))
    assert box.s3().list_buckets()["Buckets"] == []


def test_a_port_in_use(new_box, made):
    box = new_box()
    folder, _ = made
    text = fails(run("serve", "--data", folder, "--api", f"127.0.0.1:{box.port}", "--console", "-"))
    assert str(box.port) in text
    ok(run("status", "--data", folder))


def test_a_control_socket_that_lies_there_dead(new_box):
    box = new_box()
    box.kill()
    assert (box.data / "control").exists()
    assert json.loads(ok(run("status", "--data", box.data, "--json")))["running"] is False
    box.start()
    assert json.loads(ok(run("status", "--data", box.data, "--json")))["running"] is True


def test_a_long_path(new_box, tmp_path):
    """Socket addresses end at 108 bytes; paths do not."""
    folder = tmp_path / ("d" * 100) / ("e" * 100) / "box"
    folder.parent.mkdir(parents=True)
    box = new_box(data=folder)
    key_calls(box.data)
    assert box.stop() == 0
    key_calls(box.data)
    box.start()


def test_a_relative_path(tmp_path):
    ok(run("init", "--data", "box", cwd=tmp_path))
    assert json.loads(ok(run("status", "--data", "./box/", "--json", cwd=tmp_path)))["running"] is False


def crc32c_masked(data):
    """As RocksDB writes it in front of a record of its write-ahead log."""
    value = int.from_bytes(checksums.crc(checksums.CRC32C_TABLE, 32, data), "big")
    return ((value >> 15 | value << 17) + 0xA282EAD8 & 0xFFFFFFFF).to_bytes(4, "little")


def raise_format(folder, box_id):
    """Write what a later version would: the store's format in its identity row, one higher."""
    log, = (folder / "kv").glob("*.log")
    data = bytearray(log.read_bytes())
    row = data.index(b"\x08\x01\x12\x10" + bytes.fromhex(box_id))  # System: format 1, box_id
    data[row + 1] = 2
    at = 0
    while at < len(data):  # records: CRC32C, length, type, payload
        end = at + 7 + int.from_bytes(data[at + 4:at + 6], "little")
        data[at:at + 4] = crc32c_masked(data[at + 6:end])
        at = end
    log.write_bytes(data)


def test_a_newer_format_is_refused(made):
    folder, members = made
    raise_format(folder, members["box_id"])
    for args in (("serve", "--api", "127.0.0.1:0", "--console", "-"), ("status",), ("key", "list")):
        text = fails(run(*args, "--data", folder))
        assert "format 2" in text and "newer" in text
    fails(run("init", "--data", folder))


def test_folders_that_cannot_be(tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below", "/proc/none", tmp_path / ("x" * 300)):
        fails(run("init", "--data", folder))
        fails(run("serve", "--data", folder, "--api", "127.0.0.1:0", "--console", "-"))


def test_a_config_file(new_box, tmp_path):
    file = tmp_path / "valise.conf"
    file.write_text("# settings\n\napi.region = eu-north-1\nlog.level = debug\n")
    box = new_box(args=("--config", file, "--log-level", "warn"))
    answer = box.raw().request("GET", "/")
    assert answer.code == "AuthorizationHeaderMalformed"
    assert "lvl=info" not in box.stderr()
    file.write_text("no.such.setting = 1\n")
    text = fails(run("serve", "--data", box.data, "--config", file), 2)
    assert "no.such.setting" in text


@pytest.mark.parametrize("name", ["TERM", "INT"])
def test_signals(new_box, name):
    box = new_box()
    box.process.send_signal(getattr(signal, "SIG" + name))
    assert box.process.wait(15) == 0
    box.start()


# BOX-STOP-1
def test_requests_in_flight_finish_before_it_stops(new_box):
    box = new_box()
    box.s3().create_bucket(Bucket="bkt")
    raw = box.raw()
    body = b"x" * 1_000_000
    headers = raw.signed("PUT", "/bkt/k", headers=[("Content-Length", str(len(body)))], body=body)
    with socket.create_connection((box.host, box.port)) as connection:
        connection.sendall(raw_module.head_text("PUT", "/bkt/k", headers) + body[:500_000])
        time.sleep(0.3)
        box.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises(OSError):
            socket.create_connection((box.host, box.port), timeout=1).close()
        connection.sendall(body[500_000:])
        data, _ = raw_module.read_all(connection)
    assert raw_module.statuses(data) == [200]
    assert box.process.wait(15) == 0
    box.start()
    assert box.s3().get_object(Bucket="bkt", Key="k")["Body"].read() == body


def test_a_client_that_never_finishes_does_not_stop_the_stop(new_box):
    box = new_box()
    raw = box.raw()
    headers = raw.signed("PUT", "/bkt/k", headers=[("Content-Length", "1000000")], payload="UNSIGNED-PAYLOAD")
    with socket.create_connection((box.host, box.port)) as connection:
        connection.sendall(raw_module.head_text("PUT", "/bkt/k", headers))
        begin = time.monotonic()
        assert box.stop() == 0
        assert time.monotonic() - begin < 14
    box.start()


# BOX-HEALTH-1
def test_health_and_metrics(new_box):
    box = new_box()
    anonymous = box.raw(user=None)
    answer = anonymous.request("GET", "/-/health")
    assert answer.status == 200 and json.loads(answer.body)["status"] == "ok"
    assert anonymous.request("HEAD", "/-/health").status == 200
    assert anonymous.request("POST", "/-/health").status == 405
    box.s3().create_bucket(Bucket="bkt")
    text = anonymous.request("GET", "/-/metrics").body.decode()
    names = {line.split("{")[0].split()[0] for line in text.splitlines() if line and line[0] != "#"}
    assert len(names) > 10 and all(name.startswith(("valise_", "process_")) for name in names)
    assert anonymous.request("GET", "/-/nothing").status == 404


# BOX-SECRET-1
def test_secrets_are_nowhere_on_disk_in_plain(new_box):
    box = new_box()
    keys = box.user("ann")
    box.s3("ann").list_buckets()
    assert box.stop() == 0
    for path in box.data.rglob("*"):
        if path.is_file() and path.name not in ("reserve", "first-run.json"):
            content = path.read_bytes()
            assert keys.secret_key.encode() not in content, path
    box.start()


def test_modes_of_files(new_box):
    box = new_box()
    for path in [box.data, *box.data.rglob("*")]:
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path
