"""Fixtures of the fault tests; the box, the signer and their fixtures are those of tests/api.

VALISE_LONG=1 makes each test as long as `make check-long` wants it.
"""
import importlib.util
import os
import shutil
import sys
from pathlib import Path

import pytest

API = Path(__file__).resolve().parents[1] / "api"
sys.path.insert(0, str(API))

import box as box_module  # noqa: E402
from client import Client  # noqa: E402


def fixtures_of_api():
    spec = importlib.util.spec_from_file_location("api_fixtures", API / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pytest_sessionstart = fixtures_of_api().pytest_sessionstart


@pytest.fixture
def long():
    """Whether this is the long campaign."""
    return bool(os.environ.get("VALISE_LONG"))


@pytest.fixture
def need():
    """need("strace", root=True): skip where a tool or a right is missing."""
    def check(*tools, root=False):
        if root and os.geteuid() != 0:
            pytest.skip("needs root")
        for tool in tools:
            if not shutil.which(tool, path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
                pytest.skip(f"needs {tool}")
    return check


@pytest.fixture
def make_box(tmp_path_factory):
    """make_box(start=True, **options of Box). What runs at the end must stop cleanly; a test may
    kill its box, and it stays killed."""
    made = []

    def make(start=True, **options):
        made.append(box_module.Box(tmp_path_factory.mktemp("box"), **options))
        return made[-1].start() if start else made[-1]

    yield make
    for each in made:
        if each.running():
            each.close()


@pytest.fixture
def connect():
    """connect(box): a Client of fault tests, closed at the end."""
    made = []

    def make(box, **options):
        made.append(Client(box, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
