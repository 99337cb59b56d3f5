"""Versioning: states of a bucket, versions, delete markers, the null version, their listing."""
import pytest

LARGE = b"L" * 200_000


def enable(s3, bucket, status="Enabled"):
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def versions_of(s3, bucket, **query):
    """(key, version, is_latest, is_marker), as a listing has them."""
    page = s3.list_object_versions(Bucket=bucket, **query)
    rows = [(entry["Key"], entry["VersionId"], entry["IsLatest"], False) for entry in page.get("Versions", [])]
    rows += [(entry["Key"], entry["VersionId"], entry["IsLatest"], True)
             for entry in page.get("DeleteMarkers", [])]
    return rows


@pytest.fixture
def versioned(s3, bucket):
    enable(s3, bucket)
    return bucket


def test_states(s3, bucket, raw, refused):
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    for status in ("Enabled", "Suspended", "Enabled"):
        enable(s3, bucket, status)
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status
    for body in (b"<VersioningConfiguration><Status>Off</Status></VersioningConfiguration>",
                 b"<VersioningConfiguration><Status>enabled</Status></VersioningConfiguration>",
                 b"<VersioningConfiguration>", b""):
        assert raw.request("PUT", f"/{bucket}", "versioning", body=body).status == 400
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def test_mfa_delete_is_not_built(raw, bucket):
    body = (b"<VersioningConfiguration><Status>Enabled</Status><MfaDelete>Enabled</MfaDelete>"
            b"</VersioningConfiguration>")
    answer = raw.request("PUT", f"/{bucket}", "versioning", body=body)
    assert answer.status in (400, 403, 501), answer


def test_every_put_is_a_version(s3, versioned):
    bodies = [b"one", LARGE, b"", b"four"]
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=body)["VersionId"] for body in bodies]
    assert len(set(ids)) == 4 and "null" not in ids
    for version, body in zip(ids, bodies):
        got = s3.get_object(Bucket=versioned, Key="k", VersionId=version)
        assert (got["Body"].read(), got["VersionId"]) == (body, version)
        head = s3.head_object(Bucket=versioned, Key="k", VersionId=version)
        assert (head["ContentLength"], head["VersionId"]) == (len(body), version)
    got = s3.get_object(Bucket=versioned, Key="k")
    assert (got["Body"].read(), got["VersionId"]) == (b"four", ids[-1])
    assert versions_of(s3, versioned) == [("k", ids[3], True, False), ("k", ids[2], False, False),
                                          ("k", ids[1], False, False), ("k", ids[0], False, False)]


# S3-DELETE-1
def test_a_delete_makes_a_marker(s3, raw, versioned, refused):
    version = s3.put_object(Bucket=versioned, Key="k", Body=b"one")["VersionId"]
    marker = s3.delete_object(Bucket=versioned, Key="k")
    assert marker["DeleteMarker"] and marker["VersionId"] != version
    for method in ("GET", "HEAD"):
        answer = raw.request(method, f"/{versioned}/k")
        assert answer.status == 404 and answer.headers["x-amz-delete-marker"] == "true"
        assert answer.headers["x-amz-version-id"] == marker["VersionId"]
        answer = raw.request(method, f"/{versioned}/k", f"versionId={marker['VersionId']}")
        assert answer.status == 405 and answer.headers["x-amz-delete-marker"] == "true"
    assert s3.get_object(Bucket=versioned, Key="k", VersionId=version)["Body"].read() == b"one"
    assert s3.list_objects_v2(Bucket=versioned)["KeyCount"] == 0
    assert versions_of(s3, versioned) == [("k", version, False, False), ("k", marker["VersionId"], True, True)]


def test_deleting_the_marker_brings_the_object_back(s3, versioned):
    s3.put_object(Bucket=versioned, Key="k", Body=b"one")
    marker = s3.delete_object(Bucket=versioned, Key="k")["VersionId"]
    gone = s3.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert gone["DeleteMarker"] and gone["VersionId"] == marker
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"one"


def test_deleting_versions_one_by_one(s3, versioned, refused):
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=str(i).encode())["VersionId"] for i in range(4)]
    order = [ids[1], ids[3], ids[0], ids[2]]
    left = list(ids)
    for version in order:
        answer = s3.delete_object(Bucket=versioned, Key="k", VersionId=version)
        assert answer["VersionId"] == version and not answer.get("DeleteMarker")
        left.remove(version)
        assert [row[1] for row in versions_of(s3, versioned)] == left[::-1]
        if left:
            got = s3.get_object(Bucket=versioned, Key="k")
            assert (got["VersionId"], got["Body"].read()) == (left[-1], str(ids.index(left[-1])).encode())
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=versioned, Key="k")
    s3.delete_bucket(Bucket=versioned)


def test_many_markers(s3, versioned):
    markers = [s3.delete_object(Bucket=versioned, Key="k")["VersionId"] for _ in range(3)]
    assert len(set(markers)) == 3
    assert [row[1] for row in versions_of(s3, versioned)] == markers[::-1]
    for marker in markers:
        s3.delete_object(Bucket=versioned, Key="k", VersionId=marker)
    assert versions_of(s3, versioned) == []


def test_what_was_there_before_is_the_null_version(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"null")
    enable(s3, bucket)
    assert s3.get_object(Bucket=bucket, Key="k")["VersionId"] == "null"
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"null"
    assert versions_of(s3, bucket) == [("k", version, True, False), ("k", "null", False, False)]
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert versions_of(s3, bucket) == [("k", version, True, False)]


def test_suspended(s3, versioned, refused):
    bucket = versioned
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"one")["VersionId"]
    enable(s3, bucket, "Suspended")
    answer = s3.put_object(Bucket=bucket, Key="k", Body=b"null 1")
    assert answer.get("VersionId", "null") == "null"
    s3.put_object(Bucket=bucket, Key="k", Body=LARGE)
    assert versions_of(s3, bucket) == [("k", "null", True, False), ("k", version, False, False)]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == LARGE
    marker = s3.delete_object(Bucket=bucket, Key="k")
    assert marker["DeleteMarker"] and marker["VersionId"] == "null"
    assert versions_of(s3, bucket) == [("k", version, False, False), ("k", "null", True, True)]
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="k")
    s3.put_object(Bucket=bucket, Key="k", Body=b"null 3")
    assert versions_of(s3, bucket) == [("k", "null", True, False), ("k", version, False, False)]
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"one"


def test_null_between_versions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"n")
    enable(s3, bucket)
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1")["VersionId"]
    enable(s3, bucket, "Suspended")
    s3.put_object(Bucket=bucket, Key="k", Body=b"m")
    enable(s3, bucket)
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2")["VersionId"]
    assert [row[1] for row in versions_of(s3, bucket)] == [second, "null", first]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"m"


@pytest.mark.parametrize("version, status, code", [
    ("0" * 24, 404, "NoSuchVersion"), ("f" * 24, 404, "NoSuchVersion"), ("null", 404, "NoSuchVersion"),
    ("x", 400, "InvalidArgument"), ("", 400, "InvalidArgument"), ("a" * 2000, 400, "InvalidArgument"),
    ("%00", 400, "InvalidArgument"), ("NULL", 400, "InvalidArgument")])
def test_versions_that_are_not_there(s3, raw, versioned, version, status, code):
    s3.put_object(Bucket=versioned, Key="k", Body=b"x")
    answer = raw.request("GET", f"/{versioned}/k", f"versionId={version}")
    assert (answer.status, answer.code) == (status, code), answer
    answer = raw.request("DELETE", f"/{versioned}/k", f"versionId={version}")
    assert answer.status == (204 if status == 404 else 400), answer
    assert len(versions_of(s3, versioned)) == 1


def test_a_version_of_another_key_is_not_there(s3, versioned, refused):
    version = s3.put_object(Bucket=versioned, Key="a", Body=b"x")["VersionId"]
    with refused("NoSuchVersion", 404):
        s3.get_object(Bucket=versioned, Key="b", VersionId=version)


def test_delete_objects_with_versions(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=str(i).encode())["VersionId"] for i in range(3)]
    answer = s3.delete_objects(Bucket=versioned, Delete={"Objects": [
        {"Key": "k", "VersionId": ids[0]}, {"Key": "k", "VersionId": ids[2]}, {"Key": "other"}]})
    by_key = {(entry["Key"], entry.get("VersionId")): entry for entry in answer["Deleted"]}
    assert ("k", ids[0]) in by_key and ("k", ids[2]) in by_key
    assert by_key[("other", None)]["DeleteMarker"] and by_key[("other", None)]["DeleteMarkerVersionId"]
    assert [row[:2] for row in versions_of(s3, versioned)][0] == ("k", ids[1])
    assert s3.get_object(Bucket=versioned, Key="k")["Body"].read() == b"1"


def build(s3, bucket):
    """Five keys of four versions and a marker each; returns what a listing must yield."""
    rows = []
    for key in ("a/1", "a/2", "b", "c/x/1", "z"):
        ids = [s3.put_object(Bucket=bucket, Key=key, Body=str(i).encode())["VersionId"] for i in range(4)]
        ids.append(s3.delete_object(Bucket=bucket, Key=key)["VersionId"])
        rows += [(key, version) for version in reversed(ids)]
    return rows


@pytest.mark.parametrize("max_keys", [1, 2, 5, 6, 24, 25, 1000])
def test_pages(s3, versioned, max_keys):
    wanted = build(s3, versioned)
    got, query = [], {}
    while True:
        page = s3.list_object_versions(Bucket=versioned, MaxKeys=max_keys, **query)
        entries = page.get("Versions", []) + page.get("DeleteMarkers", [])
        assert len(entries) <= max_keys
        order = {row: i for i, row in enumerate(wanted)}
        got += sorted(((entry["Key"], entry["VersionId"]) for entry in entries), key=order.get)
        if not page["IsTruncated"]:
            break
        query = {"KeyMarker": page["NextKeyMarker"], "VersionIdMarker": page["NextVersionIdMarker"]}
    assert got == wanted


def test_order_in_the_document(s3, raw, versioned):
    """Versions and markers stand in one order, newest first."""
    wanted = build(s3, versioned)
    root = raw.request("GET", f"/{versioned}", "versions").xml()
    rows = []
    for element in root:
        if element.tag.endswith(("}Version", "}DeleteMarker")):
            rows.append(tuple(element.findtext(element.tag[:element.tag.index("}") + 1] + name)
                              for name in ("Key", "VersionId")))
    assert rows == wanted


def test_prefix_and_delimiter(s3, versioned):
    wanted = build(s3, versioned)
    page = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [entry["Prefix"] for entry in page["CommonPrefixes"]] == ["a/", "c/"]
    assert {entry["Key"] for entry in page["Versions"]} == {"b", "z"}
    assert {row[:2] for row in versions_of(s3, versioned, Prefix="a/")} == set(wanted[:10])
    assert {row[0] for row in versions_of(s3, versioned, KeyMarker="b")} == {"c/x/1", "z"}


def test_an_unversioned_bucket_lists_null_versions(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert versions_of(s3, bucket) == [("k", "null", True, False)]
    assert s3.get_object(Bucket=bucket, Key="k", VersionId="null")["Body"].read() == b"x"
    s3.delete_object(Bucket=bucket, Key="k", VersionId="null")
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_entries(box, s3, versioned):
    s3.put_object(Bucket=versioned, Key="k", Body=b"hello")
    s3.delete_object(Bucket=versioned, Key="k")
    page = s3.list_object_versions(Bucket=versioned)
    version, marker = page["Versions"][0], page["DeleteMarkers"][0]
    assert (version["Size"], version["ETag"]) == (5, '"5d41402abc4b2a76b9719d911017c592"')
    assert version["Owner"]["ID"] == marker["Owner"]["ID"] == box.admin.user_id
    assert version["StorageClass"] == "STANDARD"
    assert version["LastModified"] <= marker["LastModified"]


def test_more_than_a_thousand_versions_of_one_key(s3, versioned):
    ids = [s3.put_object(Bucket=versioned, Key="k", Body=b"x")["VersionId"] for _ in range(1100)]
    got = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=versioned):
        got += [entry["VersionId"] for entry in page["Versions"]]
    assert got == ids[::-1]


def test_versions_outlive_the_program(new_box):
    box = new_box()
    s3 = box.s3()
    s3.create_bucket(Bucket="bkt")
    enable(s3, "bkt")
    wanted = {row[:2] for row in build(s3, "bkt")}
    before = s3.put_object(Bucket="bkt", Key="b", Body=b"x")["VersionId"]
    box.kill()
    box.start()
    s3 = box.s3()
    assert {row[:2] for row in versions_of(s3, "bkt")} == wanted | {("b", before)}
    after = s3.put_object(Bucket="bkt", Key="b", Body=b"y")["VersionId"]
    assert [row[1] for row in versions_of(s3, "bkt") if row[0] == "b"][:2] == [after, before]
