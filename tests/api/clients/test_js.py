"""@aws-sdk/client-s3 v3: js/client.mjs, on packages that its lock file pins."""
import filecmp
import shutil
import subprocess
from pathlib import Path

import pytest

from conftest import Client, find

HERE = Path(__file__).parent / "js"
MODULES = HERE / "node_modules"  # not in git
INSTALL_S = 120


@pytest.fixture(scope="module")
def packages():
    """node_modules, made anew when the lock file is another than the one it was made from."""
    lock, made_from = HERE / "package-lock.json", MODULES / "made-from"
    if made_from.exists() and filecmp.cmp(lock, made_from, shallow=False):
        return
    npm = find("npm", "nodejs npm")
    try:
        done = subprocess.run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, text=True,
                              capture_output=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm ci: not done in {INSTALL_S} s")
    if done.returncode != 0:
        pytest.skip(f"npm ci: {done.stderr[-500:]}")
    shutil.copy(lock, made_from)


def test_sdk(box, environment, packages):
    node = Client([find("node", "nodejs")], environment)
    major = int(node.run("--version").lstrip("v").split(".")[0])
    if major < 20:
        pytest.skip(f"node {major} is older than the SDK takes: 20 or newer is needed")
    assert node.run("client.mjs", box.url, "by-js", cwd=HERE).endswith("ok\n")
