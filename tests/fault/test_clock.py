"""ACC-59, 60, 61: a clock that is wrong, jumps, or passes 2038. The box serves; clients that sign
with its time get in and others are told what time it is; order is that of the writes, whatever the
clock said; the time last seen only moves forward, and a clock behind it is shown.

libfaketime moves the wall clock of the box alone; the clock of the machine is left as it is.
Seen to fail with a time last seen that is written down whatever it is; with ages of uploads that go
by the wall clock.
"""
import calendar
import datetime
import email.utils
import os
import time

import pytest

from client import Client, until
from ledger import Ledger, body_of

YEAR_S = 365 * 86400
DAY_S = 86400
ENABLE = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
NOON_1970 = -int(time.time()) + DAY_S // 2
NEAR_2038 = calendar.timegm((2038, 1, 19, 3, 14, 0)) - int(time.time())
NEW_YEAR = calendar.timegm((datetime.datetime.now().year + 1, 1, 1, 0, 0, 0)) - int(time.time()) - 2
SKEWS = {"ten years ahead": 10 * YEAR_S, "ten years behind": -10 * YEAR_S, "1970": NOON_1970,
         "2038": NEAR_2038 + 14, "after 2038": NEAR_2038 + DAY_S, "a new year begins": NEW_YEAR}
# The monotonic clock stays: a machine's does, too.
FAKED = ("env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1")


@pytest.fixture
def rc_file(tmp_path):
    return tmp_path / "faketime"


@pytest.fixture
def box(make_box, need, rc_file):
    need("faketime")
    made = make_box(start=False)
    made.wrap = [*FAKED, f"FAKETIME_TIMESTAMP_FILE={rc_file}", f"LD_PRELOAD={library()}"]
    return made


def library():
    for folder in ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime", "/usr/lib/faketime"):
        if os.path.exists(f"{folder}/libfaketimeMT.so.1"):
            return f"{folder}/libfaketimeMT.so.1"
    pytest.skip("needs libfaketimeMT.so.1")


def set_skew(rc_file, skew_s):
    beside = rc_file.with_suffix(".new")
    beside.write_text(f"{skew_s:+d}\n")
    beside.rename(rc_file)


def assert_date(answer, skew_s):
    seconds = email.utils.parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert abs(seconds - time.time() - skew_s) < 20, answer.headers["date"]


def assert_told_the_time(box, skew_s):
    """A client with another clock is refused, and can correct itself."""
    stranger = Client(box, skew_s=skew_s + DAY_S)
    answer = stranger.request("GET", "/")
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed"), answer
    assert_date(answer, skew_s)
    told = datetime.datetime.strptime(answer.texts("ServerTime")[0][:19], "%Y-%m-%dT%H:%M:%S")
    assert abs(calendar.timegm(told.timetuple()) - time.time() - skew_s) < 20
    stranger.close()


def versions_of(client, path):
    bucket, key = path[1:].split("/")
    return client.request("GET", "/" + bucket, f"prefix={key}&versions=").texts("VersionId")


@pytest.mark.parametrize("name", SKEWS)
def test_serves_at_any_time(box, connect, rc_file, name):
    skew_s = SKEWS[name]
    set_skew(rc_file, skew_s)
    box.start()
    client = connect(box, skew_s=skew_s)
    ledger = Ledger(client.make_bucket("clock"))
    deadline = time.monotonic() + (4 if name in ("2038", "a new year begins") else 0)
    number = 0
    while number < 20 or time.monotonic() < deadline:  # over the moment
        size = (100, 200_000)[number % 2]
        answer = ledger.write(client, f"k{number % 30}", body_of(number, size))
        assert answer.ok, answer
        assert_date(answer, skew_s)
        number += 1
    ledger.check(client)
    modified = client.get(ledger.path("k0")).headers["last-modified"]
    assert abs(email.utils.parsedate_to_datetime(modified).timestamp() - time.time() - skew_s) < 60
    assert_told_the_time(box, skew_s)
    box.kill()
    box.start()
    ledger.check(client)
    assert client.health()[0] == 200


def test_order_is_that_of_the_writes(box, connect, rc_file):
    """Across restarts with clocks far apart, versions stay in the order in which they were put."""
    put = []
    for skew_s in (0, 10 * YEAR_S, -10 * YEAR_S, NOON_1970, 1, NEAR_2038 + DAY_S, 0):
        set_skew(rc_file, skew_s)
        box.start()
        client = connect(box, skew_s=skew_s)
        if not put:
            client.make_bucket("order")
            assert client.request("PUT", "/order", "versioning=", body=ENABLE).ok
        for _ in range(3):
            body = body_of(len(put), 2000)
            answer = client.put("/order/k", body)
            assert answer.ok, answer
            put.append((answer.headers["x-amz-version-id"], body))
            got = client.get("/order/k")
            assert got.body == body and got.headers["x-amz-version-id"] == put[-1][0]
        assert versions_of(client, "/order/k") == [version for version, _ in reversed(put)]
        box.stop()
    box.start()
    client = connect(box)
    for version, body in put:
        answer = client.request("GET", "/order/k", f"versionId={version}")
        assert answer.body == body


def test_uploads_outlive_a_wrong_clock(box, connect, rc_file):
    """BOX-UPLOAD-1: an upload under way is not taken for an old one by a clock that jumped, in
    whichever direction; housekeeping looks at each start and each stop."""
    set_skew(rc_file, 0)
    box.start()
    client = connect(box)
    client.make_bucket("under-way")
    upload, = client.request("POST", "/under-way/k", "uploads=").texts("UploadId")
    for skew_s in (10 * YEAR_S, NOON_1970, 0):
        set_skew(rc_file, skew_s)
        box.stop()
        box.start()
        client = connect(box, skew_s=skew_s)
        answer = client.request("PUT", "/under-way/k", f"partNumber=1&uploadId={upload}", body=b"x" * 5000)
        assert answer.ok, answer
    assert client.request("GET", "/under-way", "uploads=").texts("UploadId") == [upload]


def test_clock_that_jumps(box, connect, rc_file, long):
    """It jumps while the box runs, ten years at a time: nothing is reordered, nothing hangs."""
    jumps = [10 * YEAR_S, -10 * YEAR_S, NOON_1970, 0, NEAR_2038 + DAY_S, 3600, -3600, 0]
    set_skew(rc_file, 0)
    box.start()
    client = connect(box)
    client.make_bucket("jumps")
    assert client.request("PUT", "/jumps", "versioning=", body=ENABLE).ok
    versions = []
    for skew_s in jumps * (20 if long else 1):
        set_skew(rc_file, skew_s)
        client.skew_s = skew_s
        # libfaketime looks at its file at each call; the first answer with the new date tells.
        assert until(lambda: client.request("GET", "/").status == 200, 15)
        for number in range(5):
            answer = client.put("/jumps/k", body_of(len(versions), (300, 100_000)[number % 2]))
            assert answer.ok, answer
            versions.insert(0, answer.headers["x-amz-version-id"])
            assert client.get("/jumps/k").headers["x-amz-version-id"] == versions[0]
    assert versions_of(client, "/jumps/k") == versions[:1000]
    assert client.health()[0] == 200


def test_clock_behind_is_shown(box, connect, rc_file):
    """The last time seen is kept, and only moves forward: a later start in 1970 is told."""
    set_skew(rc_file, 10 * YEAR_S)
    box.start()
    assert "warnings" not in connect(box).health()[1]
    assert box.stop() == 0
    for skew_s in (NOON_1970, 0, 9 * YEAR_S):
        set_skew(rc_file, skew_s)
        box.start()
        status, health = connect(box).health()
        assert status == 200 and health["warnings"][0].startswith("clock-behind: "), health
        assert box.stop() == 0
    set_skew(rc_file, 10 * YEAR_S + 60)
    box.start()
    assert "warnings" not in connect(box).health()[1]
