"""HTTP framing at the real port (ACC-1 to ACC-17): what one server takes for one request and the
next for two is refused, and the connection closed."""
import re
import socket
import ssl
import threading
import time
from pathlib import Path

import pytest

import raw as raw_module
from box import program
from raw import exchange, head_text, open_socket, read_all, statuses

GET = "GET /-/health HTTP/1.1\r\n"


def with_host(*lines, body=b"", start="PUT /bkt/k HTTP/1.1"):
    return "\r\n".join([start, "Host: x", *lines, "", ""]).encode("latin-1") + body


def signed_put(raw, path, *extra, body=b"", length=True, payload="UNSIGNED-PAYLOAD"):
    """A PUT whose signature is right, with lines of one's own behind it."""
    headers = raw.signed("PUT", path, body=body, payload=payload)
    lines = [f"{name}: {value}" for name, value in headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([f"PUT {path} HTTP/1.1", *lines, *extra, "", ""]).encode("latin-1") + body


def refused(box, data, allowed, must_close=True):
    found, closed, answer = exchange(box, data)
    assert len(found) == 1 and found[0] in allowed, (found, answer[:300])
    assert closed or not must_close


SMUGGLED = b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("lines", [
    ("Content-Length: 4", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 4"),
    ("Content-Length: 4", "Content-Length: 5"), ("Content-Length: 0", "Content-Length: 36"),
    ("Content-Length: 4, 5",), ("Content-Length: +3",), ("Content-Length: -1",), ("Content-Length: 0x3",),
    ("Content-Length: 3,3",), ("Content-Length:",), ("Content-Length: 18446744073709551619",),
    ("Content-Length: 3 3",), ("Content-Length: 3;",), ("Content-Length: 1e3",),
    ("Transfer-Encoding : chunked",), ("Transfer-Encoding: xchunked",), ("Transfer-Encoding: gzip, chunked",),
    ("Transfer-Encoding: chunked, chunked",), ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
    ("Transfer-Encoding: identity",), ("Transfer-Encoding: chunked;x=y",), ("Transfer-Encoding:",)], ids=str)
def test_lengths(box, raw, bucket, lines):
    """ACC-1 to ACC-5; signed, so that nothing but the framing can be the reason."""
    body = b"0\r\n\r\n" + SMUGGLED
    refused(box, signed_put(raw, f"/{bucket}/k", *lines, body=body, length=False), (400, 413, 501))
    assert raw.request("HEAD", f"/{bucket}/k").status == 404


def test_transfer_encoding_on_http_1_0(box, raw, bucket):
    data = signed_put(raw, f"/{bucket}/k", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED, length=False)
    refused(box, data.replace(b"HTTP/1.1", b"HTTP/1.0", 1), (400, 501))


@pytest.mark.parametrize("body", [b"0x3\r\nabc\r\n0\r\n\r\n", b"+3\r\nabc\r\n0\r\n\r\n", b"_\r\nabc\r\n0\r\n\r\n",
                                  b"-3\r\nabc\r\n0\r\n\r\n", b"\r\nabc\r\n0\r\n\r\n", b"3\r\nabc0\r\n\r\n",
                                  b"3\r\nabcd\r\n0\r\n\r\n", b"g\r\nabc\r\n0\r\n\r\n",
                                  b"FFFFFFFFFFFFFFFFF\r\nabc\r\n0\r\n\r\n"], ids=repr)
def test_chunk_sizes(box, raw, bucket, body):
    """ACC-6: refused, or at least never two requests and never another body."""
    data = signed_put(raw, f"/{bucket}/k", "Transfer-Encoding: chunked", body=body + SMUGGLED, length=False)
    found, _, _ = exchange(box, data, seconds=1)
    assert found in ([400], [413], []), found
    assert raw.request("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.parametrize("line", ["X-A: a\rb", "X-A: a\x00b", "X-A: a\x01b", "X-A: a\x7fb", "X-A : b", "X A: b",
                                  " X-A: b", "X-A", ": b", "X-A: b\r\n c", "X(A): b", "X-\xe4: b"])
def test_fields(box, raw, bucket, line):
    """ACC-7: 400, whatever a signature says."""
    refused(box, signed_put(raw, f"/{bucket}/k", line, body=b"abc" + SMUGGLED), (400,))
    assert raw.request("HEAD", f"/{bucket}/k").status == 404


@pytest.mark.parametrize("second", [False, True], ids=["first", "second"])
@pytest.mark.parametrize("line", [b": b\r\n", b":\r\n", b": b\n", b"\x00: b\r\n", b"\x00\r\n", b"X-A: b\n", b"X-A: b\x00c\r\n",
                                  b"X-A: b\r\n c\r\n"], ids=repr)
def test_lines_that_move_the_body(box, raw, bucket, line, second):
    """ACC-7: wherever in a head whose body no signature covers, on a new connection and a used one."""
    path = f"/{bucket}/k"
    before = head_text("GET", f"/{bucket}", raw.signed("GET", f"/{bucket}"))
    lines = signed_put(raw, path, body=b"body").partition(b"\r\n\r\n")[0].split(b"\r\n")
    for place in range(1, len(lines) + 1):
        data = b"".join(each + b"\r\n" for each in lines[:place]) + line
        data += b"".join(each + b"\r\n" for each in lines[place:]) + b"\r\nbody" + SMUGGLED
        found, closed, answer = exchange(box, before * second + data)
        assert found == [200] * second + [400] and closed, (place, answer)
    assert raw.request("HEAD", path).status == 404


@pytest.mark.parametrize("target", ["/b\x00kt/k", "/bkt/k\x00", "/bkt/a b", "/bkt/\x7f", "bkt/k", "*", "", "//", "/bkt/%00",
                                    "http://other/bkt/k", "ftp://x/bkt/k", "/bkt/k\x01"])
def test_targets(box, target):
    """ACC-8, ACC-14: exact bytes or 400 (or refused for want of a signature), never another name."""
    found, _, answer = exchange(box, f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode("latin-1"), seconds=1)
    assert found in ([400], [403], [404], [505], []), (found, answer)
    if "other" in target:
        assert found == [400]


def test_a_nul_does_not_end_a_key(box, raw, s3, bucket):
    """ACC-8: the signature is over all of the target."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    headers = raw.signed("GET", f"/{bucket}/k")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    found, _, answer = exchange(box, f"GET /{bucket}/k%00.txt HTTP/1.1\r\n{lines}\r\n".encode(), seconds=1)
    assert found in ([400], [403]), answer


@pytest.mark.parametrize("hosts, wanted", [((), [400]), (("x", "y"), [400]), (("x", "x"), [400]), (("x y",), [400]),
                                           (("",), [400]), (("a/b",), [400]), (("x",), [200])], ids=str)
def test_hosts(box, hosts, wanted):
    """ACC-9."""
    lines = "".join(f"Host: {host}\r\n" for host in hosts)
    found, _, answer = exchange(box, f"{GET}{lines}Connection: close\r\n\r\n".encode())
    assert found == wanted, answer


def test_an_absolute_target(box, raw, bucket):
    """ACC-14: with the host that Host names it is the same request."""
    headers = raw.signed("GET", f"/{bucket}")
    data = head_text("GET", f"http://{raw.host}/{bucket}", [*headers, ("Connection", "close")])
    found, _, answer = exchange(box, data)
    assert found in ([200], [400]), answer


@pytest.mark.parametrize("data, allowed", [
    (GET.encode() + b"Host: x\r\nX-Pad: " + b"a" * 40_000 + b"\r\n\r\n", (400, 431)),
    (GET.encode() + b"Host: x\r\n" + b"".join(b"X-%d: a\r\n" % i for i in range(1000)) + b"\r\n", (400, 431)),
    (b"GET /" + b"a" * 65_536 + b" HTTP/1.1\r\nHost: x\r\n\r\n", (400, 414, 431))])
def test_heads_that_are_too_large(box, data, allowed):
    """ACC-10."""
    refused(box, data, allowed)


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO", "get", "PROPFIND"])
def test_methods(box, method):
    """ACC-13."""
    found, _, answer = exchange(box, f"{method} / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert found in ([400], [405], [501]), answer


@pytest.mark.parametrize("data", [b"\r\n" * 100, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"\x00" * 1000,
                                  b"GET / HTTP/9.9\r\nHost: x\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"GET / HTTP/1.1\n\n",
                                  b"SSH-2.0-x\r\n", b"GET / FOO/1.1\r\n\r\n", bytes(range(256)) * 8])
def test_nonsense(box, data):
    found, _, _ = exchange(box, data, seconds=1)
    assert all(status >= 400 for status in found)


def continue_of(box, headers, method, path):
    """The status lines that a head with Expect brings before any body is sent."""
    with open_socket(box) as connection:
        connection.sendall(head_text(method, path, [*headers, ("Expect", "100-continue")]))
        data, closed = read_all(connection, 1.5)
    return statuses(data), closed


def test_expect(box, raw, s3, bucket):
    """ACC-15, s3.md 9: 100 only after the head was judged; a refusal comes without it."""
    path, length = f"/{bucket}/k", [("Content-Length", "5")]
    good = raw.signed("PUT", path, headers=length, payload="UNSIGNED-PAYLOAD")
    assert continue_of(box, good, "PUT", path)[0] == [100]
    bad = [*good[:-1], ("Authorization", good[-1][1][:-64] + "0" * 64)]
    assert continue_of(box, bad, "PUT", path)[0] == [403]
    anonymous = [("Host", raw.host), *length]
    assert continue_of(box, anonymous, "PUT", path)[0] == [403]
    missing = raw.signed("PUT", "/no-such-bucket/k", headers=length, payload="UNSIGNED-PAYLOAD")
    assert continue_of(box, missing, "PUT", "/no-such-bucket/k")[0] == [404]
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    once = raw.signed("PUT", path, headers=[*length, ("If-None-Match", "*")], payload="UNSIGNED-PAYLOAD")
    assert continue_of(box, once, "PUT", path)[0] == [412]
    unsupported = raw.signed("PUT", path, headers=[*length, ("x-amz-acl", "public-read")], payload="UNSIGNED-PAYLOAD")
    assert continue_of(box, unsupported, "PUT", path)[0] == [501]
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"x"


def test_expect_then_body(box, raw, bucket):
    headers = raw.signed("PUT", f"/{bucket}/k", headers=[("Content-Length", "5")], body=b"hello")
    with open_socket(box) as connection:
        connection.sendall(head_text("PUT", f"/{bucket}/k", [*headers, ("Expect", "100-continue")]))
        assert connection.recv(100).startswith(b"HTTP/1.1 100")
        connection.sendall(b"hello")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_an_unknown_expectation(box, raw, bucket):
    headers = raw.signed("PUT", f"/{bucket}/k", headers=[("Content-Length", "5")], body=b"hello")
    data = head_text("PUT", f"/{bucket}/k", [*headers, ("Expect", "miracles"), ("Connection", "close")]) + b"hello"
    found, _, answer = exchange(box, data)
    assert found in ([200], [417]), answer


def test_pipelined_requests_are_answered_in_order(box, raw, s3, bucket):
    """ACC-16."""
    keys = [f"k{i}" for i in range(10)]
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    data, wanted = b"", []
    for i in range(1000):
        key = keys[i % 10]
        data += head_text("GET", f"/{bucket}/{key}", raw.signed("GET", f"/{bucket}/{key}"))
        wanted.append(key.encode())
    with open_socket(box) as connection:
        threading.Thread(target=lambda: connection.sendall(data), daemon=True).start()
        answer = b""
        while answer.count(b"HTTP/1.1 200") < 1000:
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
        time.sleep(0.1)
    bodies = re.findall(rb"\r\n\r\n(k\d)(?=HTTP|$)", answer)
    assert bodies == wanted[:len(bodies)] and len(bodies) >= 1


def test_keep_alive(box, raw, bucket):
    """s3.md 22: one connection serves many requests, errors too."""
    with open_socket(box) as connection:
        for _ in range(3):
            for key, status in (("missing", b"404"), ("", b"200")):
                path = f"/{bucket}/{key}".rstrip("/")
                connection.sendall(head_text("GET", path, raw.signed("GET", path)))
                answer = connection.recv(65536)
                assert answer.startswith(b"HTTP/1.1 " + status)
                length = int(re.search(rb"(?i)content-length: (\d+)", answer).group(1))
                while len(answer.partition(b"\r\n\r\n")[2]) < length:
                    answer += connection.recv(65536)


def test_an_answer_comes_in_one_piece(box, raw, s3, bucket):
    """s3.md 20: head and small body in one segment, without a delay of 40 ms."""
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 1000)
    times = []
    with open_socket(box) as connection:
        for _ in range(20):
            data = head_text("GET", f"/{bucket}/k", raw.signed("GET", f"/{bucket}/k"))
            begin = time.perf_counter()
            connection.sendall(data)
            answer = connection.recv(65536)
            times.append(time.perf_counter() - begin)
            assert len(answer.partition(b"\r\n\r\n")[2]) == 1000
    assert sorted(times)[10] < 0.03


def test_answers_of_many_sizes_are_framed(box, raw, s3, bucket):
    for size in (0, 1, 65_536, 1_000_000):
        s3.put_object(Bucket=bucket, Key="k", Body=b"x" * size)
        answer = raw.request("GET", f"/{bucket}/k")
        assert answer.headers["content-length"] == str(size) and len(answer.body) == size
        assert "transfer-encoding" not in answer.headers


def test_a_client_that_goes_away_while_it_is_answered(box, raw, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x" * 20_000_000)
    for _ in range(20):
        with open_socket(box) as connection:
            connection.sendall(head_text("GET", f"/{bucket}/k", raw.signed("GET", f"/{bucket}/k")))
            connection.recv(1000)
    assert raw.request("HEAD", f"/{bucket}/k").status == 200


def test_a_refused_body_is_drained_or_the_connection_closed(box, raw, bucket):
    """A large PUT that is refused at its head: the client hears why."""
    body = b"x" * 3_000_000
    answer = raw.request("PUT", "/no-such-bucket/k", body=body)
    assert (answer.status, answer.code) == (404, "NoSuchBucket")
    found, _, data = exchange(box, with_host(f"Content-Length: {len(body)}", body=body + SMUGGLED), seconds=5)
    assert found[0] == 403 and 200 not in found, data[:300]


@pytest.mark.slow
def test_slow_heads_are_dropped(box, raw):
    """ACC-11: a head of one byte every 2 s lives at most 10 s, and others do not feel it."""
    slow = [open_socket(box) for _ in range(200)]
    begin, dropped = time.monotonic(), {}
    times = []
    for connection in slow:
        connection.setblocking(False)
        connection.sendall(b"G")
    while len(dropped) < len(slow) and time.monotonic() - begin < 20:
        for i, connection in enumerate(slow):
            if i in dropped:
                continue
            try:
                connection.send(b"E")
                if connection.recv(1000) == b"":
                    dropped[i] = time.monotonic() - begin
            except BlockingIOError:
                pass
            except OSError:
                dropped[i] = time.monotonic() - begin
        for _ in range(10):
            before = time.monotonic()
            assert raw.request("GET", "/").status == 200
            times.append(time.monotonic() - before)
        time.sleep(1.5)
    for connection in slow:
        connection.close()
    assert len(dropped) == len(slow) and max(dropped.values()) < 14
    assert sorted(times)[len(times) // 2] < 0.1


@pytest.mark.slow
def test_slow_bodies_are_dropped(box, raw, bucket):
    """ACC-12: under 1 KB/s for 30 s."""
    headers = raw.signed("PUT", f"/{bucket}/k", headers=[("Content-Length", "1000000")], payload="UNSIGNED-PAYLOAD")
    with open_socket(box) as connection:
        connection.sendall(head_text("PUT", f"/{bucket}/k", headers))
        begin = time.monotonic()
        connection.settimeout(1)
        while time.monotonic() - begin < 60:
            try:
                connection.sendall(b"x" * 50)
                data = connection.recv(1000)
                assert not data or b"408" in data or b"RequestTimeout" in data
                break
            except (TimeoutError, socket.timeout):
                continue
            except OSError:
                break
        assert 20 < time.monotonic() - begin < 50
    assert raw.request("HEAD", f"/{bucket}/k").status == 404


def test_more_connections_than_allowed(new_box):
    box = new_box(args=("--api-connections-max", "8"))
    held = [open_socket(box) for _ in range(8)]
    time.sleep(0.3)
    with open_socket(box) as connection:
        connection.sendall(b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n")
        data, closed = read_all(connection, 3)
    assert closed and (statuses(data) in ([503], []))
    for connection in held:
        connection.close()
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        found, _, _ = exchange(box, b"GET /-/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        if found == [200]:
            return
        time.sleep(0.1)
    raise AssertionError("no connection is taken although the others are gone")


def resident_mb(box):
    text = Path(f"/proc/{box.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


def is_sanitized():
    return any(name in Path(program()).read_bytes() for name in (b"__asan_init", b"__tsan_init"))


@pytest.mark.skipif(is_sanitized(), reason="a sanitizer's memory is not the box's")
def test_what_idle_connections_cost(new_box):
    """HTTP-IDLE-1: 64 MB for the whole box with 1,000 of them (and some for other machines' libraries);
    and when they have gone, it goes back to the system."""
    box = new_box(args=("--api-connections-max", "1100"))
    raw = box.raw()
    raw.request("PUT", "/bkt")
    alone = resident_mb(box)
    data = head_text("GET", "/bkt", raw.signed("GET", "/bkt"))
    held = [open_socket(box) for _ in range(900)]
    for connection in held:
        connection.sendall(data)
    for connection in held:
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    time.sleep(0.5)
    many = resident_mb(box)
    for connection in held:
        connection.close()
    deadline = time.monotonic() + 10
    while resident_mb(box) > alone + 15 and time.monotonic() < deadline:
        time.sleep(0.2)
    after = resident_mb(box)
    assert many - alone < 45 and after < alone + 15, (alone, many, after)


def test_plain_http_on_the_tls_port(tls_box):
    """ACC-17."""
    found, _, data = exchange(tls_box, b"GET /-/health HTTP/1.1\r\nHost: x\r\n\r\n", seconds=1)
    assert found in ([], [400]), data
    assert tls_box.raw(user=None).request("GET", "/-/health").status == 200


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls(tls_box, version):
    """ACC-17. OpenSSL must be let loose to offer them at all."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with socket.create_connection((tls_box.host, tls_box.port), timeout=5) as plain:
        with pytest.raises(OSError):
            context.wrap_socket(plain)


def test_every_answer_names_itself(box, raw, bucket):
    ids = set()
    for method, path in (("GET", "/"), ("GET", f"/{bucket}"), ("HEAD", f"/{bucket}/none"), ("DELETE", f"/{bucket}/none"),
                         ("GET", "/-/health")):
        answer = raw.request(method, path)
        assert re.fullmatch("[0-9A-F]{16}", answer.headers["x-amz-request-id"])
        assert answer.headers["date"].endswith("GMT")
        ids.add(answer.headers["x-amz-request-id"])
        if answer.status == 204:
            assert answer.headers.get("content-length", "0") == "0" and answer.body == b""
    assert len(ids) == 5


def test_the_log_has_a_line_for_each_and_no_injection(new_box):
    """ACC-91."""
    box = new_box()
    raw = box.raw()
    answer = raw.request("GET", "/bkt/a%0Ab%1B[31m", headers=[("User-Agent", "a=b\tc")])
    raw.request("GET", "/-/health%0Alvl=error")
    deadline = time.monotonic() + 5  # lines are gathered before they are written
    while answer.headers["x-amz-request-id"] not in box.stderr() and time.monotonic() < deadline:
        time.sleep(0.05)
    text = box.stderr()
    assert answer.headers["x-amz-request-id"] in text
    assert "\x1b" not in text and "\nlvl=error" not in text
    assert raw.keys.secret_key not in text
