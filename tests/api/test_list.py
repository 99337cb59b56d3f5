"""Listings: order, prefixes, delimiters, pages, encoding, and every mistake of a client (ACC-41)."""
import base64
import hashlib
import hmac
import json
import random
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import pytest

TREE = ["a", "a/", "a/1", "a/2/x", "a/2/y", "a0", "b/1", "b/2", "c", "photos/2006/feb/1.jpg",
        "photos/2006/jan/1.jpg", "photos/2006/jan/2.jpg", "z//1", "z//2", "é/1", "日本/1", "日本/2"]


def fold(keys, prefix="", delimiter="", after=""):
    """What a listing without pages yields: (is_prefix, text), by the book."""
    items = []
    for key in sorted(keys, key=str.encode):
        if not key.startswith(prefix):
            continue
        item = (False, key)
        at = key.find(delimiter, len(prefix)) if delimiter else -1
        if at >= 0:
            item = (True, key[:at + len(delimiter)])
        if item[1].encode() > after.encode() and (not items or items[-1] != item):
            items.append(item)
    return items


def items_of(page):
    """(is_prefix, text) of a page, in order."""
    items = [(False, entry["Key"]) for entry in page.get("Contents", [])]
    items += [(True, entry["Prefix"]) for entry in page.get("CommonPrefixes", [])]
    return sorted(items, key=lambda item: item[1].encode())


def all_pages_v2(s3, **query):
    items, pages = [], 0
    while True:
        page = s3.list_objects_v2(**query)
        assert page["KeyCount"] == len(items_of(page)) <= query.get("MaxKeys", 1000)
        items += items_of(page)
        pages += 1
        if not page["IsTruncated"]:
            assert "NextContinuationToken" not in page
            return items, pages
        query["ContinuationToken"] = page["NextContinuationToken"]


def all_pages_v1(s3, **query):
    items = []
    while True:
        page = s3.list_objects(**query)
        items += items_of(page)
        if not page["IsTruncated"]:
            return items
        query["Marker"] = page.get("NextMarker") or page["Contents"][-1]["Key"]


@pytest.fixture(scope="module")
def tree(box):
    s3 = box.s3()
    s3.create_bucket(Bucket="tree")
    for key in random.Random(1).sample(TREE, len(TREE)):
        s3.put_object(Bucket="tree", Key=key, Body=key.encode())
    return "tree"


@pytest.fixture(scope="module")
def many(box):
    """2,500 keys in ten folders, and one folder of 1,500 for a delimiter to skip."""
    s3 = box.s3()
    s3.create_bucket(Bucket="many")
    keys = [f"d{i % 10}/{i:05}" for i in range(1000)] + [f"skipped/{i:05}" for i in range(1500)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: s3.put_object(Bucket="many", Key=key, Body=b"x"), keys))
    return keys


CASES = [{}, {"Prefix": "a"}, {"Prefix": "a/"}, {"Delimiter": "/"}, {"Prefix": "a/", "Delimiter": "/"},
         {"Prefix": "photos/2006/", "Delimiter": "/"}, {"Prefix": "photos/2006", "Delimiter": "/"},
         {"Delimiter": "/2"}, {"Delimiter": "本/"}, {"Delimiter": "o"}, {"Prefix": "none"},
         {"Prefix": "z/", "Delimiter": "/"}, {"Delimiter": "not in any key"}, {"Prefix": "日"},
         {"Delimiter": "jan/"}, {"Prefix": "a/2/x", "Delimiter": "/"}]


# S3-LIST-1
@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("max_keys", [1, 2, 3, 7, 1000])
def test_v2_and_v1_agree_with_the_book(s3, tree, case, max_keys):
    wanted = fold(TREE, case.get("Prefix", ""), case.get("Delimiter", ""))
    assert all_pages_v2(s3, Bucket=tree, MaxKeys=max_keys, **case)[0] == wanted
    assert all_pages_v1(s3, Bucket=tree, MaxKeys=max_keys, **case) == wanted


def behind(after, delimiter):
    """A listing from `after` on, which skips all of a prefix where it is one that was folded."""
    folded = (True, after) in fold(TREE, "", delimiter)
    keys = [key for key in TREE if key.encode() > after.encode()]
    return fold([key for key in keys if not (folded and key.startswith(after))], "", delimiter)


@pytest.mark.parametrize("after", ["", "a", "a/", "a/2/x", "a/2/zzz", "b", "photos/", "z//2", "日本/2",
                                   "\U0010ffff", "0"])
@pytest.mark.parametrize("delimiter", ["", "/"])
def test_start_after(s3, tree, after, delimiter):
    page = s3.list_objects_v2(Bucket=tree, StartAfter=after, Delimiter=delimiter)
    assert items_of(page) == behind(after, delimiter)
    if after:
        assert page["StartAfter"] == after


@pytest.mark.parametrize("marker", ["a/2/", "photos/", "z/", "b/1"])
def test_a_marker_that_is_a_folded_prefix_skips_it(s3, tree, marker):
    got = items_of(s3.list_objects(Bucket=tree, Marker=marker, Delimiter="/"))
    assert got == behind(marker, "/")


def test_start_after_is_ignored_once_a_token_is_given(s3, tree):
    first = s3.list_objects_v2(Bucket=tree, MaxKeys=2)
    token = first["NextContinuationToken"]
    page = s3.list_objects_v2(Bucket=tree, ContinuationToken=token, StartAfter="zzz")
    assert items_of(first) + items_of(page) == fold(TREE)
    assert page["ContinuationToken"] == token


def test_entries(box, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    entry = s3.list_objects_v2(Bucket=bucket)["Contents"][0]
    assert (entry["Size"], entry["StorageClass"]) == (5, "STANDARD")
    assert entry["ETag"] == '"5d41402abc4b2a76b9719d911017c592"'
    assert entry["LastModified"].year > 2000 and "Owner" not in entry
    assert entry.get("ChecksumAlgorithm", ["CRC32"]) == ["CRC32"]
    entry = s3.list_objects_v2(Bucket=bucket, FetchOwner=True)["Contents"][0]
    assert entry["Owner"]["ID"] == box.admin.user_id
    assert s3.list_objects(Bucket=bucket)["Contents"][0]["Owner"]["ID"] == box.admin.user_id


def test_iso_dates_have_milliseconds(raw, tree):
    for text in raw.request("GET", "/tree", "list-type=2").texts("Contents/LastModified"):
        assert len(text) == len("2026-01-02T03:04:05.678Z") and text.endswith("Z")


def test_an_empty_bucket(s3, raw, bucket):
    page = s3.list_objects_v2(Bucket=bucket)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (0, False, 1000)
    assert page["Name"] == bucket
    answer = raw.request("GET", f"/{bucket}", "list-type=2")
    assert answer.xml().tag.endswith("}ListBucketResult") and answer.texts("Prefix") == [""]


# S3-LIST-1
def test_2500_keys(s3, many):
    items, pages = all_pages_v2(s3, Bucket="many")
    assert items == fold(many) and pages == 3
    assert all_pages_v1(s3, Bucket="many") == fold(many)
    assert all_pages_v2(s3, Bucket="many", Prefix="d3/", MaxKeys=33) == (fold(many, "d3/"), 4)


@pytest.mark.parametrize("max_keys", [1, 4, 11, 1000])
def test_prefixes_over_many_keys(s3, many, max_keys):
    wanted = fold(many, "", "/")
    assert len(wanted) == 11
    assert all_pages_v2(s3, Bucket="many", Delimiter="/", MaxKeys=max_keys)[0] == wanted
    assert all_pages_v1(s3, Bucket="many", Delimiter="/", MaxKeys=max_keys) == wanted


def test_a_page_that_ends_with_the_last_key_is_not_truncated(s3, many):
    assert not s3.list_objects_v2(Bucket="many", Prefix="d0/", MaxKeys=100)["IsTruncated"]
    assert s3.list_objects_v2(Bucket="many", Prefix="d0/", MaxKeys=99)["IsTruncated"]
    assert not s3.list_objects_v2(Bucket="many", Delimiter="/", MaxKeys=11)["IsTruncated"]


def test_a_page_has_at_most_a_thousand(s3, many):
    page = s3.list_objects_v2(Bucket="many", MaxKeys=5000)
    assert len(page["Contents"]) == 1000 and page["MaxKeys"] in (1000, 5000) and page["IsTruncated"]


@pytest.mark.parametrize("query", ["list-type=2&", ""])
def test_max_keys_zero(raw, tree, query):
    answer = raw.request("GET", "/tree", query + "max-keys=0")
    assert answer.status == 200
    assert answer.texts("IsTruncated") == ["false"] and answer.texts("Contents/Key") == []


def test_keys_that_come_and_go_between_pages(s3, bucket):
    for i in range(10):
        s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"x")
    page = s3.list_objects_v2(Bucket=bucket, MaxKeys=4)
    for key in ("k3", "k4"):
        s3.delete_object(Bucket=bucket, Key=key)
    s3.put_object(Bucket=bucket, Key="k35", Body=b"x")
    s3.put_object(Bucket=bucket, Key="k0a", Body=b"x")
    rest = s3.list_objects_v2(Bucket=bucket, ContinuationToken=page["NextContinuationToken"])
    assert [entry["Key"] for entry in rest["Contents"]] == ["k35", "k5", "k6", "k7", "k8", "k9"]


ODD = ["a b", "a+b", "a%b", "a&b", "a\nb", "<é>", "dir name/x", "dir+name/y"]


def test_encoding_type_url(s3, raw, bucket):
    for key in ODD:
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    query = "list-type=2&encoding-type=url&delimiter=%2F&start-after=a%20%21&prefix="
    answer = raw.request("GET", f"/{bucket}", query)
    assert answer.texts("EncodingType") == ["url"]
    assert answer.texts("StartAfter") == ["a%20%21"] and answer.texts("Delimiter") in (["/"], ["%2F"])
    for path in ("Contents/Key", "CommonPrefixes/Prefix"):
        for text in answer.texts(path):
            assert not set(text) & set(" <>&\n") and "%2B" in text or "+" not in text
            assert urllib.parse.unquote(text) in [*ODD, "dir name/", "dir+name/"]
    # boto3 sends encoding-type=url by itself and decodes with '+' as a space.
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == \
        sorted(ODD, key=str.encode)
    assert all_pages_v1(s3, Bucket=bucket, Delimiter="/", MaxKeys=1) == fold(ODD, "", "/")


def test_without_encoding_type_the_text_is_as_it_is(raw, bucket, s3):
    for key in ("a b", "é&<x>", "a+b"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x")
    assert raw.request("GET", f"/{bucket}", "list-type=2").texts("Contents/Key") == ["a b", "a+b", "é&<x>"]


BAD_NUMBERS = ["-1", "2147483648", "99999999999999999999999", "x", "1x", "1.5", "0x10", "%20", "%2B5"]


@pytest.mark.parametrize("kind", ["list-type=2&", "", "versions&"])
@pytest.mark.parametrize("value", BAD_NUMBERS)
def test_bad_max_keys(raw, tree, kind, value):
    answer = raw.request("GET", "/tree", f"{kind}max-keys={value}")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


@pytest.mark.parametrize("kind", ["list-type=2&", "", "versions&"])
@pytest.mark.parametrize("value", ["base64", "URL", "x"])
def test_bad_encoding_type(raw, tree, kind, value):
    answer = raw.request("GET", "/tree", f"{kind}encoding-type={value}")
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


@pytest.mark.parametrize("query", ["list-type=1", "list-type=3", "list-type=x",
                                   "versions&version-id-marker=x",
                                   "versions&key-marker=a&version-id-marker=zzz"])
def test_bad_arguments(raw, tree, query):
    answer = raw.request("GET", "/tree", query)
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


@pytest.mark.parametrize("kind", ["list-type=2&prefix={}", "list-type=2&delimiter={}", "prefix={}",
                                  "list-type=2&start-after={}", "marker={}", "versions&key-marker={}"])
@pytest.mark.parametrize("value", ["%FF", "a%00b", "%C0%AF"])
def test_text_that_no_key_can_hold(raw, tree, kind, value):
    answer = raw.request("GET", "/tree", kind.format(value))
    assert answer.status in (200, 400), answer
    answer.xml()


def token_of(s3, bucket):
    return s3.list_objects_v2(Bucket=bucket, MaxKeys=2)["NextContinuationToken"]


# S3-LIST-2
def test_bad_tokens(s3, raw, tree, many):
    """ACC-41: each token that was not given for this bucket, each bit flipped."""
    token = token_of(s3, tree)
    bad = ["", "x", "a" * 1000, token[:-1], token + "A", token[1:], token.swapcase(),
           token_of(s3, "many"), "%00", "a", token * 2]
    for i, letter in enumerate(token):
        bad.append(token[:i] + ("A" if letter != "A" else "B") + token[i + 1:])
    for each in bad:
        answer = raw.request("GET", "/tree", "list-type=2&continuation-token=" +
                             urllib.parse.quote(each, safe="%"))
        assert (answer.status, answer.code) == (400, "InvalidArgument"), (each, answer)


def test_a_token_tells_no_key(s3, tree):
    page = s3.list_objects_v2(Bucket=tree, Prefix="photos/", MaxKeys=1)
    assert "photos" not in page["NextContinuationToken"]


def sealed_again(token, key):
    """The token with the seal that who knows `key` would put on it."""
    plain = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    seal = hmac.new(key, bytes(plain[:5] + plain[21:]), hashlib.sha256).digest()
    plain[5:21] = seal[:16]
    return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()


# S3-LIST-2
def test_who_knows_the_box_id_can_seal_no_token(box, s3, raw, tree):
    """The key comes from box.key, which is secret. As it came from the id once, a token of then
    is one that is not known any more."""
    token = token_of(s3, tree)
    first_run = json.loads((box.data / "first-run.json").read_text())
    box_id = bytes.fromhex(first_run["box_id"])
    of_old = hmac.new(box_id, b"S3 continuation tokens", hashlib.sha256).digest()
    of_now = hmac.new((box.data / "box.key").read_bytes(), b"valise: S3 continuation tokens", hashlib.sha256).digest()
    for key, known in ((of_old, False), (box_id, False), (of_now, True)):
        forged = sealed_again(token, key)
        answer = raw.request("GET", "/tree", f"list-type=2&continuation-token={forged}")
        assert (forged == token) == known
        assert (answer.status, answer.code) == ((200, None) if known else (400, "InvalidArgument")), answer


def test_a_token_outlives_the_program(new_box):
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    for i in range(4):
        s3.put_object(Bucket="bkt", Key=f"k{i}", Body=b"x")
    token = token_of(s3, "bkt")
    box.restart()
    page = box.s3().list_objects_v2(Bucket="bkt", ContinuationToken=token)
    assert [entry["Key"] for entry in page["Contents"]] == ["k2", "k3"]


def test_a_token_of_a_bucket_that_was_made_anew(s3, raw, bucket):
    for i in range(3):
        s3.put_object(Bucket=bucket, Key=f"k{i}", Body=b"x")
    token = token_of(s3, bucket)
    for i in range(3):
        s3.delete_object(Bucket=bucket, Key=f"k{i}")
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    answer = raw.request("GET", f"/{bucket}", "list-type=2&continuation-token=" +
                         urllib.parse.quote(token, safe=""))
    assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


def test_the_paginator_of_boto3(s3, many):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="many", PaginationConfig={"PageSize": 333})
    assert [entry["Key"] for page in pages for entry in page["Contents"]] == sorted(many)
