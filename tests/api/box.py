"""A running box: starts build/valise on a data folder, stops it, kills it, asks it.

Used by the fixtures of conftest.py and by tests/fault. The program is that of
the environment's VALISE_BIN, else build/valise.
"""
import json
import os
import queue
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

import boto3
from botocore.config import Config

import raw

ROOT = Path(__file__).resolve().parents[2]
READY_S = 20
STOP_S = 20
SANITIZER = re.compile(
    r"AddressSanitizer|LeakSanitizer|ThreadSanitizer|UndefinedBehaviorSanitizer|runtime error:"
    r"|Assertion .* failed")
SETTINGS = ("--store-segment-bytes", "16M")  # so that tests meet many segments


def program():
    path = Path(os.environ.get("VALISE_BIN", ROOT / "build" / "valise")).resolve()
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: run make first")
    return str(path)


def run(*args, timeout=60, **kwargs):
    """Run a subcommand to its end; no environment of the caller's box."""
    env = {name: value for name, value in os.environ.items() if name != "VALISE_DATA"}
    env.update(kwargs.pop("env", {}))
    return subprocess.run([program(), *map(str, args)], capture_output=True, text=True,
                          timeout=timeout, env=env, **kwargs)


class Keys:
    """One access key, as first-run.json and `key create --json` have it."""

    def __init__(self, members):
        self.user = members["user"]
        self.user_id = members["user_id"]
        self.access_key = members["access_key"]
        self.secret_key = members["secret_key"]


class Box:
    def __init__(self, folder, args=(), data=None, wrap=(), settings=SETTINGS):
        """folder: for logs, and for the data where `data` is not given; wrap: a command in front."""
        self.folder = Path(folder)
        self.data = Path(data) if data else self.folder / "data"
        self.args = [*settings, *map(str, args)]
        self.wrap = [str(word) for word in wrap]
        self.log = self.folder / "stderr.log"
        self.process = None
        self.lines = []
        self.users = {}
        self.verify = True

    def start(self, timeout=READY_S):
        command = [*self.wrap, program(), "serve", "--data", str(self.data), "--api", "127.0.0.1:0",
                   "--console", "-", *self.args]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log,
                                            stdin=subprocess.DEVNULL)
        lines = queue.Queue()
        threading.Thread(target=self._read_stdout, args=(self.process, lines), daemon=True).start()
        self.url = self._wait_ready(lines, time.monotonic() + timeout)
        scheme, address = self.url.split("://")
        self.tls = scheme == "https"
        host, port = address.rsplit(":", 1)
        self.host, self.port = host.strip("[]"), int(port)
        return self

    def _read_stdout(self, process, lines):
        for line in process.stdout:
            self.lines.append(line.decode())
            lines.put(line.decode())
        lines.put(None)

    def _wait_ready(self, lines, deadline):
        while True:
            try:
                line = lines.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                self.kill()
                raise AssertionError(f"no ready line in time; stderr: {self.stderr()[-2000:]}")
            if line is None:
                self.process.wait()
                raise AssertionError(f"ended with {self.process.returncode} before it was ready; "
                                     f"stderr: {self.stderr()[-2000:]}")
            found = re.match(r"ready api=(https?://\S+)", line)
            if found:
                return found.group(1)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """SIGTERM, wait. Returns the exit code."""
        if self.running():
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"did not stop within {STOP_S} s of SIGTERM")

    def kill(self):
        if self.running():
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def restart(self):
        assert self.stop() == 0
        self.start()

    def close(self):
        """The end of a test: it stops cleanly, and the log holds no report and no secret."""
        if self.process is None:
            return
        was_running = self.running()
        code = self.stop()
        text = self.stderr()
        report = SANITIZER.search(text)
        assert not report, text[max(0, report.start() - 500):report.start() + 4000]
        assert was_running, f"the box had ended by itself with {code}: {text[-2000:]}"
        assert code == 0, f"exit {code} on SIGTERM: {text[-2000:]}"
        for keys in self.users.values():
            assert keys.secret_key not in text, "a secret stands in the log"

    def stderr(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    @property
    def admin(self):
        if "admin" not in self.users:
            members = json.loads((self.data / "first-run.json").read_text())
            self.users["admin"] = Keys(members)
        return self.users["admin"]

    def user(self, name):
        """A second user, made by `valise key create` on the running box."""
        if name == "admin":
            return self.admin
        if name not in self.users:
            done = run("key", "create", "--data", self.data, "--user", name, "--json")
            assert done.returncode == 0, done.stderr
            self.users[name] = Keys(json.loads(done.stdout))
        return self.users[name]

    def s3(self, user="admin", region="us-east-1", **config):
        """A boto3 client; no retries, so that what is answered is what is seen."""
        keys = self.user(user)
        config.setdefault("s3", {"addressing_style": "path"})
        config.setdefault("max_pool_connections", 64)
        return boto3.client(
            "s3", endpoint_url=self.url, region_name=region, aws_access_key_id=keys.access_key,
            aws_secret_access_key=keys.secret_key, verify=self.verify,
            config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=60, **config))

    def raw(self, user="admin", **options):
        """Our own client, which signs as told and sends what it is told."""
        return raw.Client(self, self.user(user) if user else None, **options)
