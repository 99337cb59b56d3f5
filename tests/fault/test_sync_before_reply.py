"""A 2xx means: on stable storage. strace sees every fdatasync and every answer: between a write's
request and its answer an fdatasync of the log has begun and ended, and before that one of the
segment where the body lies there.

Seen to fail with commits without sync (rocksdb_writeoptions_set_sync(…, 0)).
"""
import pytest

from client import until
from load import SIZES, Load
from synced import OPTIONS, acknowledged, calls_of, unsynced
from tracing import Tracer

SMALL, LARGE = SIZES[:2], SIZES[2:]


@pytest.mark.parametrize("sizes", (SMALL, LARGE), ids=("small", "large"))
def test_a_sync_precedes_every_2xx(make_box, connect, need, long, sizes):
    need("strace")
    box = make_box()
    client = connect(box)
    client.make_bucket("synced")
    wanted = 5000 if long else 300
    with Tracer(box, *OPTIONS) as tracer:
        with Load(box, "synced", writers=8, sizes=sizes) as load:
            until(lambda: load.count(200, 204) > wanted, 600 if long else 60)
    calls = calls_of(tracer.lines())
    seen = acknowledged(calls)
    print(f"\n{len(seen)} acknowledged writes in the trace")
    assert len(seen) >= wanted
    is_large = (lambda target: target.startswith("PUT")) if sizes is LARGE else (lambda target: False)
    assert unsynced(calls, is_large) == []
    # What would not have been seen is not proved: the same trace without its syncs, with syncs that
    # failed, and with answers that came before them.
    assert len(unsynced([call for call in calls if call.name != "fdatasync"], is_large)) == len(seen)
    assert len(unsynced([call._replace(result=-1) for call in calls], is_large)) == len(seen)
    late = [call._replace(end=call.end + 1000) if call.end else call for call in calls]
    assert len(unsynced(late, is_large)) == len(seen)
    if sizes is LARGE:
        bodies = [call for call in calls if ".seg>" not in call.text]
        assert len(unsynced(bodies, is_large)) == sum(is_large(each.target) for each in seen)
