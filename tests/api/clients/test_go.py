"""aws-sdk-go-v2 and minio-go v7: the programs below go/, built from what go.sum pins."""
import os
import subprocess
from pathlib import Path

import pytest

from box import ROOT
from conftest import Client, find

HERE = Path(__file__).parent / "go"
OUT = ROOT / "build" / "tests" / "clients"
BUILD_S = 300


@pytest.fixture(scope="module")
def programs():
    """Both programs; the Go compiler's own cache makes the second build quick."""
    OUT.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly", "CGO_ENABLED": "0"}
    try:
        done = subprocess.run([find("go", "golang-go"), "build", "-o", f"{OUT}/", "./..."], cwd=HERE, env=env,
                              text=True, capture_output=True, timeout=BUILD_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"go build: not done in {BUILD_S} s")
    for reason in ("requires go >=", "invalid go version", "dial tcp", "no such host", "i/o timeout"):
        if reason in done.stderr:
            pytest.skip(f"go build: {done.stderr[-500:]}")
    assert done.returncode == 0, done.stderr
    return OUT


def test_aws(box, environment, programs):
    assert Client([programs / "aws"], environment).run(box.url, "by-go-aws") == "ok\n"


def test_minio(box, environment, programs):
    assert Client([programs / "minio"], environment).run(f"{box.host}:{box.port}", "by-go-minio") == "ok\n"
