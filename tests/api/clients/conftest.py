"""Clients as people have them, unchanged: found or skipped, pointed at the box, run.

Each gets a home of its own, so that nobody's configuration or credentials are read.
"""
import os
import shutil
import subprocess

import pytest

RUN_S = 300


class Client:
    """One program with an environment that points it at the box."""

    def __init__(self, command, env):
        self.command = command
        self.env = env

    def run(self, *args, status=0, timeout=RUN_S, **options):
        """Run to the end; stdout as text. status: the exit code that must come, None = any."""
        done = self.start(*args, **options)
        try:
            out, err = done.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            done.kill()
            out, err = done.communicate()
            pytest.fail(f"{self.command} {args}: not done in {timeout} s\n{err[-3000:]}")
        assert status is None or done.returncode == status, \
            f"{self.command} {args}: {done.returncode}\n{out[-3000:]}\n{err[-3000:]}"
        return out

    def start(self, *args, cwd=None, stdin=subprocess.DEVNULL):
        return subprocess.Popen([*self.command, *map(str, args)], env=self.env, cwd=cwd, text=True,
                                stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def find(name, package):
    """The distribution's program where it is there, else whichever is on PATH."""
    path = shutil.which(name, path="/usr/bin") or shutil.which(name)
    if not path:
        pytest.skip(f"no {name} here: install {package}")
    return path


@pytest.fixture
def environment(box, tmp_path):
    """What every client gets: the box's keys and address, an empty home."""
    home = tmp_path / "home"
    home.mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "TMPDIR": str(tmp_path),
            "AWS_ACCESS_KEY_ID": box.admin.access_key, "AWS_SECRET_ACCESS_KEY": box.admin.secret_key,
            "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_ENDPOINT_URL": box.url,
            "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*"}


@pytest.fixture
def rclone_as(box, environment):
    """A function: an rclone that takes the box for the store of that provider."""
    def make(provider):
        remote = {"TYPE": "s3", "PROVIDER": provider, "ENDPOINT": box.url, "REGION": "us-east-1",
                  "ACCESS_KEY_ID": box.admin.access_key, "SECRET_ACCESS_KEY": box.admin.secret_key}
        env = {**environment, "RCLONE_CONFIG": "/dev/null",
               **{f"RCLONE_CONFIG_BOX_{name}": value for name, value in remote.items()}}
        return Client([find("rclone", "rclone"), "--retries", "1", "--low-level-retries", "1"], env)
    return make


@pytest.fixture(params=["v4", "v2"])
def s3cmd(request, box, environment):
    where = f"{box.host}:{box.port}"
    options = ["--config=/dev/null", f"--host={where}", f"--host-bucket={where}", "--no-ssl", "--no-progress",
               f"--access_key={box.admin.access_key}", f"--secret_key={box.admin.secret_key}"]
    if request.param == "v2":
        options.append("--signature-v2")
    client = Client([find("s3cmd", "s3cmd"), *options], environment)
    client.name = request.param
    return client


@pytest.fixture
def restic(box, environment):
    env = {**environment, "RESTIC_REPOSITORY": f"s3:{box.url}/restic-repository/at/home",
           "RESTIC_PASSWORD": "only for this test", "RESTIC_CACHE_DIR": environment["HOME"]}
    return Client([find("restic", "restic")], env)
