"""Fixtures: a box for a file of tests, boxes of one's own, clients, buckets.

Whatever box a test used, at the end it must stop on SIGTERM with exit code 0, without a
sanitizer's report and without a secret in its log.
"""
import itertools
import subprocess

import pytest
from botocore.exceptions import ClientError

import box as box_module


def pytest_sessionstart(session):
    try:
        box_module.program()
    except FileNotFoundError as missing:
        pytest.exit(str(missing), 2)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    """The box that the tests of one file share. Where one of them ended it, the next gets it anew."""
    made = box_module.Box(tmp_path_factory.mktemp("box"))
    made.start()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def box_survives(request):
    """A test that ends the shared box fails, and not those after it."""
    yield
    if "box" in request.fixturenames:
        shared = request.getfixturevalue("box")
        if not shared.running():
            code = shared.process.returncode
            shared.start()
            pytest.fail(f"the box ended with {code}: {shared.stderr()[-3000:]}")


@pytest.fixture
def new_box(tmp_path_factory):
    """A function that makes boxes of one's own: new_box(args=…, start=False, …)."""
    made = []

    def make(start=True, **options):
        made.append(box_module.Box(tmp_path_factory.mktemp("box"), **options))
        return made[-1].start() if start else made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def tls_box(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=box",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    made = box_module.Box(folder, args=("--api-tls-cert", cert, "--api-tls-key", key))
    made.start()
    made.verify = str(cert)
    yield made
    made.close()


@pytest.fixture
def s3(box):
    return box.s3()


@pytest.fixture
def raw(box):
    return box.raw()


names = itertools.count()


@pytest.fixture
def bucket_name():
    return f"bucket-{next(names)}"


@pytest.fixture
def bucket(s3, bucket_name):
    s3.create_bucket(Bucket=bucket_name)
    return bucket_name


class Refused:
    """with refused("NoSuchKey", 404): …   the client's call must fail so."""

    def __init__(self, code, status=None):
        self.code, self.status = code, status

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        assert kind is not None, f"was not refused; {self.code} expected"
        if not issubclass(kind, ClientError):
            return False
        self.response = error.response
        assert error.response["Error"]["Code"] == self.code, error
        if self.status is not None:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == self.status, error
        return True


@pytest.fixture
def refused():
    return Refused
