"""ListParts and ListMultipartUploads: pages, prefixes, delimiters, encoding (S3-PART-4)."""
import pytest

from uploads import Upload, uploads_in


def test_pages_of_parts(s3, raw, bucket):
    upload = Upload(s3, bucket)
    numbers = [1, 2, 3, 500, 9_999, 10_000]
    for number in numbers:
        upload.put(number, b"%d" % number)
    for size in (1, 2, 4, 6, 1000):
        found, marker = [], 0
        while True:
            page = upload.list(MaxParts=size, PartNumberMarker=marker)
            assert (page["MaxParts"], page["PartNumberMarker"]) == (size, marker)
            assert len(page.get("Parts", [])) <= size
            found += [part["PartNumber"] for part in page.get("Parts", [])]
            if not page["IsTruncated"]:
                break
            marker = page["NextPartNumberMarker"]
        assert found == numbers
    page = upload.list()
    assert (page["StorageClass"], page["MaxParts"], page["Key"]) == ("STANDARD", 1000, "k")
    assert page["Owner"]["ID"] and page["Initiator"]["ID"]
    assert upload.list(MaxParts=100_000)["MaxParts"] == 1000
    assert "Parts" not in upload.list(PartNumberMarker=10_000)
    assert upload.list(PartNumberMarker=2_000_000_000)["IsTruncated"] is False
    none = upload.list(MaxParts=0)
    assert "Parts" not in none
    for name in ("max-parts", "part-number-marker"):
        for value in ("-1", "x", "1e3", str(2 ** 40)):
            path, query = upload.target(**{name: value})
            answer = raw.request("GET", path, query)
            assert (answer.status, answer.code) == (400, "InvalidArgument"), answer


@pytest.fixture(scope="module")
def many_uploads(box):
    """A bucket with uploads; (bucket, [(key, id)] as listed)."""
    s3 = box.s3()
    s3.create_bucket(Bucket="many-uploads")
    keys = ["a", "a", "a", "a/1", "a/2", "b/x y", "b/x+y", "b//", "c", "ä", "ä", "z/1/2"]
    made = [(key, Upload(s3, "many-uploads", key).id) for key in keys]
    return "many-uploads", sorted(made, key=lambda upload: (upload[0].encode(), made.index(upload)))


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_pages_of_uploads(s3, many_uploads, size):
    bucket, expected = many_uploads
    found, markers = [], {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=size, **markers)
        found += [(upload["Key"], upload["UploadId"]) for upload in page.get("Uploads", [])]
        assert page["MaxUploads"] == size and len(page.get("Uploads", [])) <= size
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}
    assert found == expected


def test_listing_uploads(s3, raw, many_uploads):
    bucket, expected = many_uploads
    page = s3.list_multipart_uploads(Bucket=bucket)
    first = page["Uploads"][0]
    assert first["StorageClass"] == "STANDARD" and first["Initiated"]
    assert first["Owner"]["ID"] == first["Initiator"]["ID"]
    assert uploads_in(s3, bucket, Prefix="b/") == [up for up in expected if up[0].startswith("b/")]
    assert uploads_in(s3, bucket, KeyMarker="a") == [up for up in expected if up[0] > "a"]
    assert uploads_in(s3, bucket, Prefix="nothing") == []
    folded = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [entry["Prefix"] for entry in folded["CommonPrefixes"]] == ["a/", "b/", "z/"]
    assert [up["Key"] for up in folded["Uploads"]] == ["a", "a", "a", "c", "ä", "ä"]
    answer = raw.request("GET", f"/{bucket}", "uploads&encoding-type=url&prefix=b%2F")
    assert answer.texts("Upload/Key") == ["b//", "b/x%20y", "b/x%2By"] or \
        answer.texts("Upload/Key") == ["b//", "b/x+y", "b/x%2By"]
    for query in ("max-uploads=-1", "max-uploads=x", "encoding-type=x"):
        answer = raw.request("GET", f"/{bucket}", f"uploads&{query}")
        assert (answer.status, answer.code) == (400, "InvalidArgument"), answer
    none = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=0)
    assert "Uploads" not in none


@pytest.mark.parametrize("size", [1, 2, 3])
def test_pages_of_folded_uploads(s3, many_uploads, size):
    bucket, _ = many_uploads
    found, markers = [], {}
    while True:
        page = s3.list_multipart_uploads(Bucket=bucket, MaxUploads=size, Delimiter="/", **markers)
        found += [up["Key"] for up in page.get("Uploads", [])]
        found += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        if not page["IsTruncated"]:
            break
        markers = {"KeyMarker": page["NextKeyMarker"]}
        if page.get("NextUploadIdMarker"):
            markers["UploadIdMarker"] = page["NextUploadIdMarker"]
    assert sorted(found) == sorted(["a", "a", "a", "a/", "b/", "c", "z/", "ä", "ä"])
