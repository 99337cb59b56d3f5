"""Checksums and aws-chunked bodies: every form in which a body may come, and every way in which
it may be wrong (s3.md 2, ACC-25 to ACC-28). What is refused is never visible."""
import base64
import hashlib
import io
import random

import pytest

import checksums
import raw as raw_module
import sigv4

BODY = random.Random(3).randbytes(200_001)
SIZES = [0, 5, 70_000, 300_000]


def test_the_reference_itself():
    check = b"123456789"
    assert checksums.crc(checksums.CRC32C_TABLE, 32, check).hex() == "e3069283"
    assert checksums.crc(checksums.CRC64_TABLE, 64, check).hex() == "ae8b14860a799888"


def absent(raw, path):
    return raw.request("HEAD", path).status == 404


# S3-PUT-3
@pytest.mark.parametrize("name", checksums.NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_boto3_computes_and_reads_them(s3, bucket, name, size):
    body = BODY[:1] * size
    value = checksums.checksum(name, body)
    answer = s3.put_object(Bucket=bucket, Key="k", Body=body, ChecksumAlgorithm=name) \
        if name != "CRC64NVME" and name != "CRC32C" else \
        s3.put_object(Bucket=bucket, Key="k", Body=body, **{f"Checksum{name}": value})
    assert answer[f"Checksum{name}"] == value
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (got[f"Checksum{name}"], got["ChecksumType"]) == (value, "FULL_OBJECT")
    assert got["Body"].read() == body
    head = s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert head[f"Checksum{name}"] == value
    assert s3.list_objects_v2(Bucket=bucket)["Contents"][0]["ChecksumAlgorithm"] == [name]


def test_they_are_told_only_when_asked_for(raw, bucket):
    raw.request("PUT", f"/{bucket}/k", body=b"hello")
    for method in ("GET", "HEAD"):
        answer = raw.request(method, f"/{bucket}/k")
        assert not [name for name in answer.headers if name.startswith("x-amz-checksum-")]
        answer = raw.request(method, f"/{bucket}/k", headers=[("x-amz-checksum-mode", "ENABLED")])
        assert answer.headers["x-amz-checksum-crc64nvme"] == checksums.checksum("CRC64NVME", b"hello")
        assert answer.headers["x-amz-checksum-type"] == "FULL_OBJECT"
    answer = raw.request("GET", f"/{bucket}/k", headers=[("x-amz-checksum-mode", "ENABLED"),
                                                       ("Range", "bytes=0-1")])
    assert answer.status == 206
    assert not [name for name in answer.headers if name.startswith("x-amz-checksum-")]


@pytest.mark.parametrize("name", checksums.NAMES)
@pytest.mark.parametrize("size", [5, 70_000])
def test_a_wrong_one(raw, bucket, name, size):
    path, body = f"/{bucket}/k", BODY[:size]
    right = checksums.checksum(name, body)
    wrong = checksums.checksum(name, body + b"x")
    for value, code in ((wrong, "BadDigest"), (right[:-4], "InvalidRequest"), ("", "InvalidRequest"),
                        ("*" + right[1:], "InvalidRequest"), (right + "AAAA", "InvalidRequest"),
                        (right.rstrip("="), "InvalidRequest"), (right[:-1], "InvalidRequest")):
        if value == right:
            continue
        answer = raw.request("PUT", path, headers=[(checksums.header(name), value)], body=body)
        assert (answer.status, answer.code) == (400, code), (value, answer)
        assert absent(raw, path)
    answer = raw.request("PUT", path, headers=[(checksums.header(name), right)], body=body)
    assert answer.status == 200 and answer.headers[checksums.header(name)] == right


CRC = checksums.header("CRC32")


@pytest.mark.parametrize("headers", [
    [(CRC, "NhCmhg=="), (checksums.header("SHA1"), checksums.checksum("SHA1", b"hello"))],
    [(CRC, "NhCmhg=="), (CRC, "NhCmhg==")],
    [(CRC, "NhCmhg=="), ("x-amz-sdk-checksum-algorithm", "SHA256")],
    [("x-amz-sdk-checksum-algorithm", "CRC99"), (CRC, "NhCmhg==")]], ids=str)
def test_headers_that_disagree(raw, bucket, headers):
    answer = raw.request("PUT", f"/{bucket}/k", headers=headers, body=b"hello")
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
    assert absent(raw, f"/{bucket}/k")


def test_a_checksum_of_a_kind_that_is_not_there(raw, bucket):
    answer = raw.request("PUT", f"/{bucket}/k", headers=[("x-amz-checksum-blake3", "AAAA")], body=b"x")
    assert (answer.status, answer.code) == (501, "NotImplemented"), answer
    assert "blake3" in answer.message


# S3-PUT-2
def test_payload_hash(raw, bucket):
    """ACC-28."""
    path = f"/{bucket}/k"
    for size in (0, 5, 70_000):
        answer = raw.request("PUT", path, body=BODY[:size], payload=hashlib.sha256(b"other").hexdigest())
        assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch"), answer
        assert absent(raw, path)
    for payload in ("", "x", "0" * 63, "0" * 65, "g" * 64, "UNSIGNED", "STREAMING-", "unsigned-payload"):
        answer = raw.request("PUT", path, body=b"hello", payload=payload)
        assert answer.status in (400, 403), (payload, answer)
        assert absent(raw, path)
    assert raw.request("PUT", path, body=b"hello", payload=sigv4.UNSIGNED).status == 200
    upper = hashlib.sha256(b"hello").hexdigest().upper()
    assert raw.request("PUT", path + "2", body=b"hello", payload=upper).status in (200, 400)


@pytest.mark.parametrize("payload", ["STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
                                     "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"])
def test_ecdsa_is_not_built(raw, bucket, payload):
    answer = raw.request("PUT", f"/{bucket}/k", body=b"hello", payload=payload,
                         headers=[("x-amz-decoded-content-length", "5")])
    assert (answer.status, answer.code) == (501, "NotImplemented"), answer


def test_content_md5(raw, bucket):
    path = f"/{bucket}/k"
    right = base64.b64encode(hashlib.md5(b"hello").digest()).decode()
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    for value, code in ((wrong, "BadDigest"), ("", "InvalidDigest"), ("AAAA", "InvalidDigest"),
                        (right[:-2], "InvalidDigest"), ("!" + right[1:], "InvalidDigest")):
        answer = raw.request("PUT", path, headers=[("Content-MD5", value)], body=b"hello")
        assert (answer.status, answer.code) == (400, code), (value, answer)
        assert absent(raw, path)
    assert raw.request("PUT", path, headers=[("Content-MD5", right)], body=b"hello").status == 200


# aws-chunked.

def pieces_of(body, size):
    return [body[at:at + size] for at in range(0, len(body), size)]


def put_chunked(raw, path, mode, body=b"hello", piece=64 * 1024, trailer=None, announce=None, headers=(),
                decoded=None, framing=None, change=None, break_chunk=None, encoding="aws-chunked"):
    """PUT an aws-chunked body.

    announce  x-amz-trailer; None = the trailer's names. decoded: x-amz-decoded-content-length.
    framing   "http": Transfer-Encoding too, in pieces that do not line up. change(body) bends it."""
    length = len(body) if decoded is None else decoded
    headers = [("Content-Encoding", encoding), *headers]
    if length != "":
        headers.append(("x-amz-decoded-content-length", str(length)))
    if announce is None and trailer is not None:
        announce = ",".join(name for name, _ in trailer)
    if announce:
        headers.append(("x-amz-trailer", announce))
    signer = raw.signer()
    sent = raw.signed("PUT", path, headers=headers, payload=mode, signer=signer)
    signed = mode != sigv4.UNSIGNED_TRAILER
    data = sigv4.chunked_body(signer, raw.seed, pieces_of(body, piece), trailer, signed, break_chunk)
    data = change(data) if change else data
    if framing == "http":
        sent.append(("Transfer-Encoding", "chunked"))
        data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in pieces_of(data, 7919)) + b"0\r\n\r\n"
    return raw.send("PUT", path, headers=sent, body=data)


MODES = [sigv4.CHUNKED, sigv4.CHUNKED_TRAILER, sigv4.UNSIGNED_TRAILER]
TRAILER_MODES = MODES[1:]


def trailer_of(name, body):
    return [(checksums.header(name), checksums.checksum(name, body))]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("framing", [None, "http"])
@pytest.mark.parametrize("size, piece", [(0, 8192), (5, 8192), (5, 1), (70_000, 8192), (200_001, 65_536),
                                         (200_001, 100_000), (3000, 17)])
def test_chunked(raw, bucket, mode, framing, size, piece):
    body, path = BODY[:size], f"/{bucket}/k"
    trailer = trailer_of("CRC32", body) if mode in TRAILER_MODES else None
    answer = put_chunked(raw, path, mode, body, piece, trailer, framing=framing,
                         encoding="gzip,aws-chunked" if size == 5 else "aws-chunked")
    assert answer.status == 200, answer
    got = raw.request("GET", path, headers=[("x-amz-checksum-mode", "ENABLED")])
    assert got.body == body
    assert got.headers.get("content-encoding") == ("gzip" if size == 5 else None)
    if trailer:
        assert got.headers[CRC] == trailer[0][1]


@pytest.mark.parametrize("name", checksums.NAMES)
@pytest.mark.parametrize("mode", TRAILER_MODES)
def test_each_trailer(raw, bucket, name, mode):
    path, body = f"/{bucket}/k", BODY[:10_000]
    wrong = [(checksums.header(name), checksums.checksum(name, b"other"))]
    answer = put_chunked(raw, path, mode, body, trailer=wrong)
    assert (answer.status, answer.code) == (400, "BadDigest"), answer
    malformed = [(checksums.header(name), "AAA")]
    answer = put_chunked(raw, path, mode, body, trailer=malformed)
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
    assert absent(raw, path)
    answer = put_chunked(raw, path, mode, body, trailer=trailer_of(name, body))
    assert answer.status == 200, answer
    assert answer.headers[checksums.header(name)] == checksums.checksum(name, body)


# S3-PUT-2
@pytest.mark.parametrize("mode", TRAILER_MODES)
def test_trailers_that_are_not_as_announced(raw, bucket, mode):
    """ACC-27."""
    path, crc = f"/{bucket}/k", trailer_of("CRC32", b"hello")
    answer = put_chunked(raw, path, mode, trailer=[], announce=CRC)
    assert (answer.status, answer.code) == (400, "IncompleteBody"), answer
    answer = put_chunked(raw, path, mode, trailer=crc, announce="")
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
    answer = put_chunked(raw, path, mode, trailer=crc, announce=checksums.header("SHA1"))
    assert answer.status == 400 and answer.code in ("InvalidRequest", "IncompleteBody"), answer
    answer = put_chunked(raw, path, mode, trailer=crc, headers=[crc[0]])
    assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
    answer = put_chunked(raw, path, mode, trailer=[*crc, *trailer_of("SHA1", b"hello")])
    assert answer.status == 400, answer
    answer = put_chunked(raw, path, mode, trailer=crc, announce="x-other")
    assert answer.status == 400, answer
    assert absent(raw, path)


@pytest.mark.parametrize("mode", TRAILER_MODES)
def test_spaces_in_a_trailer(raw, bucket, mode):
    name, value = trailer_of("CRC32", b"hello")[0]

    def spaced(data):
        return data.replace(f"{name}:{value}".encode(), f"{name} : {value} ".encode())

    assert put_chunked(raw, f"/{bucket}/k", mode, trailer=[(name, value)], change=spaced).status == 200


def test_a_trailer_without_its_last_line_end(raw, bucket):
    answer = put_chunked(raw, f"/{bucket}/k", sigv4.UNSIGNED_TRAILER, trailer=trailer_of("CRC32", b"hello"),
                         change=lambda data: data[:-2])
    assert answer.status == 200, answer


def test_a_huge_trailer(raw, bucket):
    path = f"/{bucket}/k"
    for extra in (b"x-pad:" + b"a" * 9000 + b"\r\n", b"x-pad:a\r\n" * 2000):
        answer = put_chunked(raw, path, sigv4.UNSIGNED_TRAILER, trailer=trailer_of("CRC32", b"hello"),
                             change=lambda data: data[:-2] + extra + b"\r\n")
        assert (answer.status, answer.code) == (400, "InvalidRequest"), answer
    assert absent(raw, path)


@pytest.mark.parametrize("mode", [sigv4.CHUNKED, sigv4.CHUNKED_TRAILER])
@pytest.mark.parametrize("size, piece, chunk", [(5, 8192, 0), (5, 8192, 1), (70_000, 8192, 0),
                                                (70_000, 8192, 5), (70_000, 8192, 8), (70_000, 8192, 9)])
def test_a_chunk_with_a_wrong_signature(raw, bucket, mode, size, piece, chunk):
    """ACC-26."""
    path, body = f"/{bucket}/k", BODY[:size]
    trailer = trailer_of("CRC32", body) if mode == sigv4.CHUNKED_TRAILER else None
    answer = put_chunked(raw, path, mode, body, piece, trailer, break_chunk=chunk)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer
    assert absent(raw, path)


def test_a_trailer_with_a_wrong_signature(raw, bucket):
    path = f"/{bucket}/k"
    answer = put_chunked(raw, path, sigv4.CHUNKED_TRAILER, trailer=trailer_of("CRC32", b"hello"),
                         break_chunk="trailer")
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer
    answer = put_chunked(raw, path, sigv4.CHUNKED_TRAILER, trailer=trailer_of("CRC32", b"hello"),
                         change=lambda data: data[:data.index(b"x-amz-trailer-signature")] + b"\r\n")
    assert answer.status in (400, 403), answer
    assert absent(raw, path)


@pytest.mark.parametrize("mode", [sigv4.CHUNKED, sigv4.CHUNKED_TRAILER])
def test_chunks_exchanged_dropped_or_changed(raw, bucket, mode):
    path, body = f"/{bucket}/k", BODY[:3 * 8192]
    trailer = trailer_of("CRC32", body) if mode == sigv4.CHUNKED_TRAILER else None

    def parts(data):
        size = len(b"2000;chunk-signature=") + 64 + 2 + 8192 + 2
        return [data[:size], data[size:2 * size], data[2 * size:3 * size], data[3 * size:]]

    def exchanged(data):
        first, second, third, rest = parts(data)
        return second + first + third + rest

    def dropped(data):
        first, _, third, rest = parts(data)
        return first + third + rest

    def flipped(data):
        return data[:200] + bytes([data[200] ^ 1]) + data[201:]

    for change in (exchanged, flipped):
        answer = put_chunked(raw, path, mode, body, 8192, trailer, change=change)
        assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch"), answer
    answer = put_chunked(raw, path, mode, body, 8192, trailer, change=dropped)
    assert answer.status in (400, 403), answer
    assert absent(raw, path)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("decoded, codes", [
    (4, ["IncompleteBody"]), (6, ["IncompleteBody"]), (0, ["IncompleteBody"]),
    (2**32, ["IncompleteBody"]), (5 * 2**30 + 1, ["EntityTooLarge"]), (5 * 2**40 + 1, ["EntityTooLarge"]), ("-1", ["InvalidArgument"]),
    ("x", ["InvalidArgument"]), ("5x", ["InvalidArgument"]), ("99999999999999999999999", None)])
def test_the_decoded_length_is_checked(raw, bucket, mode, decoded, codes):
    path = f"/{bucket}/k"
    trailer = trailer_of("CRC32", b"hello") if mode in TRAILER_MODES else None
    answer = put_chunked(raw, path, mode, trailer=trailer, decoded=decoded)
    assert answer.status == 400 and (codes is None or answer.code in codes), answer
    assert absent(raw, path)


FRAMING = [b"", b"5\r\nhello", b"5\r\nhell", b"5\r\nhello\r\n", b"5\r\nhelloXX0\r\n\r\n", b"x\r\nhello\r\n0\r\n\r\n",
           b"-5\r\nhello\r\n0\r\n\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"+5\r\nhello\r\n0\r\n\r\n",
           b"\r\nhello\r\n0\r\n\r\n", b"5hello\r\n0\r\n\r\n", b"11111111111111115\r\nhello\r\n0\r\n\r\n",
           b"FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n", b"5" + b";x" * 5000 + b"\r\nhello\r\n0\r\n\r\n",
           b"6\r\nhello\r\n0\r\n\r\n", b"4\r\nhello\r\n0\r\n\r\n", b"hello",
           b"5\r\nhello\r\n0\r\n\r\nmore", b"5\r\nhello\r\n0\r\n\r\n5\r\nhello\r\n0\r\n\r\n"]


@pytest.mark.parametrize("data", FRAMING, ids=lambda data: repr(data[:24]))
def test_broken_framing(raw, bucket, data):
    path = f"/{bucket}/k"
    answer = put_chunked(raw, path, sigv4.UNSIGNED_TRAILER, change=lambda _: data)
    assert answer.status == 400 and answer.code in ("InvalidRequest", "IncompleteBody"), answer
    assert absent(raw, path)


@pytest.mark.parametrize("data", [b"5\r\nhello\r\n0\r\n\r\n", b"5;chunk-signature=" + b"0" * 63 + b"\r\nhello\r\n",
                                  b"5;chunk-signature=\r\nhello\r\n", b"5;signature=" + b"0" * 64 + b"\r\nhello\r\n"],
                         ids=lambda data: repr(data[:24]))
def test_signed_chunks_without_signatures(raw, bucket, data):
    path = f"/{bucket}/k"
    answer = put_chunked(raw, path, sigv4.CHUNKED, change=lambda _: data)
    assert answer.status in (400, 403), answer
    assert absent(raw, path)


@pytest.mark.parametrize("kind", ["no authorization", "unknown key", "empty signature", "query only",
                                  "other signature"])
@pytest.mark.parametrize("mode", MODES)
def test_streaming_without_a_credential(box, raw, bucket, kind, mode):
    """ACC-25: the holes of other servers."""
    path = f"/{bucket}/k"
    headers = raw.signed("PUT", path, headers=[("x-amz-decoded-content-length", "5"),
                                               ("x-amz-trailer", CRC)], payload=mode)
    name, value = headers.pop()
    query = ""
    if kind == "unknown key":
        headers.append((name, value.replace(raw.keys.access_key, "AKIAIOSFODNN7EXAMPLE")))
    elif kind == "empty signature":
        headers.append((name, value[:value.index("Signature=") + len("Signature=")]))
    elif kind == "other signature":
        headers.append((name, value[:-64] + "0" * 64))
    elif kind == "query only":
        query = f"X-Amz-Credential={sigv4.quote(raw.signer().credential)}&X-Amz-Algorithm=AWS4-HMAC-SHA256"
    body = sigv4.chunked_body(None, "", [b"hello"], trailer_of("CRC32", b"hello"), signed=False)
    for method in ("PUT", "POST"):
        answer = raw.send(method, path, query, headers, body)
        assert answer.status in (400, 403), answer
        if kind in ("no authorization", "unknown key", "other signature"):
            assert answer.status == 403, answer
    assert absent(raw, path)


def test_a_refused_chunked_body_does_not_end_as_a_request(box, raw, bucket):
    """After a refusal in mid-body what follows is body, or the connection is closed."""
    path = f"/{bucket}/k"
    inner = raw_module.head_text("DELETE", f"/{bucket}/other", raw.signed("DELETE", f"/{bucket}/other"))
    raw.request("PUT", f"/{bucket}/other", body=b"x")
    headers = raw.signed("PUT", path, headers=[("x-amz-decoded-content-length", "5")],
                         payload=sigv4.CHUNKED)
    body = b"5;chunk-signature=" + b"0" * 64 + b"\r\nhello\r\n" + inner
    data = raw_module.head_text("PUT", path, [*headers, ("Content-Length", str(len(body)))]) + body
    found, _, _ = raw_module.exchange(box, data, seconds=2)
    assert found == [403] or found == [400], found
    assert raw.request("HEAD", f"/{bucket}/other").status == 200


# boto3 over TLS sends trailers, Transfer-Encoding and no Content-Length.

@pytest.mark.parametrize("size", [0, 5, 70_000, 3 * 2**20 + 1])
def test_boto3_over_tls(tls_box, size):
    s3 = tls_box.s3()
    body = random.Random(size).randbytes(size)
    name = f"tls-{size}"
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="k", Body=body, ContentEncoding="gzip")
    got = s3.get_object(Bucket=name, Key="k", ChecksumMode="ENABLED")
    assert got["Body"].read() == body and got["ContentEncoding"] == "gzip"
    assert got["ChecksumCRC32"] == checksums.checksum("CRC32", body)
    s3.upload_fileobj(io.BytesIO(body), name, "file")
    assert s3.get_object(Bucket=name, Key="file")["Body"].read() == body
    answer = s3.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "k"}, {"Key": "file"}]})
    assert len(answer["Deleted"]) == 2


def test_boto3_with_checksums_when_required_only(box, bucket):
    s3 = box.s3(request_checksum_calculation="when_required",
                response_checksum_validation="when_required")
    s3.put_object(Bucket=bucket, Key="k", Body=b"hello")
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"hello"
    assert s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}]})["Deleted"]


def test_a_stream_whose_length_is_not_known(raw, bucket):
    """Transfer-Encoding and neither Content-Length nor a decoded length, as the JS SDK may send."""
    path = f"/{bucket}/k"
    answer = put_chunked(raw, path, sigv4.UNSIGNED_TRAILER, BODY, trailer=trailer_of("CRC32", BODY),
                         decoded="", framing="http")
    assert answer.status in (200, 411), answer
    if answer.status == 200:
        assert raw.request("GET", path).body == BODY
