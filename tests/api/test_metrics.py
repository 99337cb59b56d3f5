"""/-/metrics: what Prometheus would say of the page, and what the page says of the box."""
import re

import pytest

HELP = re.compile(r"# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (\S.*)")
TYPE = re.compile(r"# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram|summary|untyped)")
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\d+(?:\.\d+)?)")


def family_of(name, types):
    for suffix in ("_bucket", "_sum", "_count"):
        base = name.removesuffix(suffix)
        if base != name and types.get(base) == "histogram":
            return base
    return name


def parse(text):
    """The page by the book: ({(name, labels): value}, {name: type}).

    One HELP and one TYPE a metric, before its samples and these in one piece; no series twice."""
    assert text.endswith("\n") and "\r" not in text
    types, helps, samples, order = {}, {}, {}, []
    for line in text.splitlines():
        if line.startswith("# HELP"):
            name, words = HELP.fullmatch(line).groups()
            assert name not in helps, line
            assert not re.search(r"\\[^\\n]", words), line
            helps[name] = words
            continue
        if line.startswith("#"):
            name, kind = TYPE.fullmatch(line).groups()
            assert name not in types and name in helps, line
            types[name] = kind
            continue
        match = SAMPLE.fullmatch(line)
        assert match, line
        name, labels, value = match.groups()
        family = family_of(name, types)
        assert family in types, line
        if not order or order[-1] != family:
            assert family not in order, f"{family} is told of in two places"
            order.append(family)
        key = name, labels or ""
        assert key not in samples, f"twice: {key}"
        samples[key] = float(value)
    assert set(types) == set(helps)
    return samples, types


def check_histograms(samples, types):
    """Buckets rise to +Inf, which is the count; a sum is there."""
    series = {}
    for (name, labels), value in samples.items():
        if name.endswith("_bucket") and types.get(name.removesuffix("_bucket")) == "histogram":
            bound = re.search(r'le="([^"]*)"', labels).group(1)
            rest = re.sub(r',?le="[^"]*"', "", labels)
            series.setdefault((name.removesuffix("_bucket"), rest), []).append((float(bound.replace("+Inf", "inf")), value))
    assert series
    for (name, labels), buckets in series.items():
        assert buckets == sorted(buckets) and [count for _, count in buckets] == sorted(count for _, count in buckets)
        assert buckets[-1] == (float("inf"), samples[name + "_count", labels])
        assert (name + "_sum", labels) in samples


def page(box):
    answer = box.raw(user=None).request("GET", "/-/metrics")
    assert answer.status == 200 and answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    samples, types = parse(answer.body.decode("ascii"))
    check_histograms(samples, types)
    for name, kind in types.items():
        assert name.endswith("_total") == (kind == "counter"), name
        assert name.startswith(("valise_", "process_")), name
    return samples


# BOX-METRICS-1
def test_the_page_is_by_the_book(box, raw, s3, bucket):
    page(box)
    s3.put_object(Bucket=bucket, Key='k"\n\\', Body=b"x")
    raw.request("GET", f"/{bucket}/none")
    raw.request("GET", "/-/health")
    page(box)


# BOX-METRICS-2
@pytest.mark.parametrize("name", [
    "valise_s3_requests_total", "valise_s3_errors_total", "valise_s3_request_seconds_bucket", "valise_s3_bytes_in_total",
    "valise_s3_bytes_out_total", "valise_commit_batches_total", "valise_commit_groups_total", "valise_commit_write_seconds_bucket",
    "valise_disk_bytes", "valise_disk_available_bytes", "valise_segment_bytes", "valise_segment_live_bytes",
    "valise_kv_cache_bytes", "valise_kv_sst_bytes", "valise_change_lag", "valise_rot_found_total", "valise_http_connections",
    "valise_healthy", "process_resident_memory_bytes"])
def test_what_is_told(box, raw, s3, bucket, name):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    raw.request("GET", f"/{bucket}/none")
    assert any(found == name for found, _ in page(box))


# BOX-METRICS-2
def test_requests_by_operation_and_code(new_box):
    box = new_box()
    raw = box.raw()
    raw.request("PUT", "/bkt")
    for _ in range(3):
        raw.request("PUT", "/bkt/k", body=b"12345")
    raw.request("GET", "/bkt/k")
    for _ in range(2):
        raw.request("GET", "/bkt/none")
    samples = page(box)
    told = {labels: value for (name, labels), value in samples.items() if name == "valise_s3_requests_total"}
    assert told == {'op="CreateBucket",code="200"': 1, 'op="PutObject",code="200"': 3, 'op="GetObject",code="200"': 1,
                    'op="GetObject",code="404"': 2}
    assert samples["valise_s3_errors_total", 'code="NoSuchKey"'] == 2
    assert samples["valise_s3_request_seconds_count", 'op="PutObject"'] == 3
    assert samples["valise_s3_bytes_in_total", ""] == 15
    assert samples["valise_change_lag", ""] == 0  # nobody reads the log yet
