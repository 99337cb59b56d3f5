"""HTTP as told: one request on a connection of its own, signed by sigv4.py or not at all,
with whatever headers, query and body a test wants to see refused.
"""
import hashlib
import http.client
import re
import socket
import ssl
import time
import xml.etree.ElementTree as ElementTree

import sigv4

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.header_list = headers
        self.body = body

    @property
    def code(self):
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found.group(1).decode() if found else None

    @property
    def message(self):
        found = re.search(rb"<Message>([^<]*)</Message>", self.body)
        return found.group(1).decode() if found else ""

    def xml(self):
        return ElementTree.fromstring(self.body)

    def texts(self, path):
        """The texts of the elements at a path such as 'Contents/Key', in S3's namespace."""
        steps = "/".join(NAMESPACE + step for step in path.split("/"))
        return [element.text or "" for element in self.xml().findall(steps)]

    def __repr__(self):
        return f"<{self.status} {self.code or ''} {self.message} {self.body[:200]!r}>"


class Client:
    def __init__(self, box, keys, when=None, region="us-east-1", service="s3"):
        self.box = box
        self.keys = keys
        self.host = f"{box.host}:{box.port}"
        self.options = {"when": when, "region": region, "service": service}

    def signer(self, **options):
        return sigv4.V4(self.keys.access_key, self.keys.secret_key, **{**self.options, **options})

    def signed(self, method, path, query="", headers=(), body=b"", payload=None, signer=None,
               unsigned=(), names=None):
        """The headers to send, Authorization last.

        payload   x-amz-content-sha256; None = that of the body
        unsigned  lower-case names that are sent without being signed
        names     SignedHeaders, instead of all
        """
        signer = signer or self.signer()
        if payload is None:
            payload = hashlib.sha256(body).hexdigest()
        all_headers = [("Host", self.host), ("x-amz-date", signer.amz_date),
                       ("x-amz-content-sha256", payload), *headers]
        if names is None:
            names = sorted({name.lower() for name, _ in all_headers} - set(unsigned))
        canonical = sigv4.canonical_request(method, path, query, all_headers, names, payload)
        self.seed = signer.signature(canonical)
        return [*all_headers, ("Authorization", signer.authorization(names, self.seed))]

    def request(self, method, path, query="", headers=(), body=b"", **signing):
        """Send a signed request (unsigned for a client without keys) and read the answer."""
        if self.keys:
            headers = self.signed(method, path, query, headers, body, **signing)
        else:
            headers = [("Host", self.host), *headers]
        return self.send(method, path, query, headers, body)

    def send(self, method, path, query="", headers=(), body=b""):
        """Send exactly these headers, and Content-Length where no length is told otherwise."""
        names = {name.lower() for name, _ in headers}
        connection = self.connect()
        try:
            target = path + ("?" + query if query else "")
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value.encode())
            needs_length = body or method in ("PUT", "POST")
            if needs_length and not names & {"content-length", "transfer-encoding"}:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            try:
                connection.send(body)
            except OSError:
                pass  # refused in mid-body: the answer says why
            return answer_of(connection.getresponse())
        finally:
            connection.close()

    def connect(self, timeout=60):
        if not self.box.tls:
            return http.client.HTTPConnection(self.box.host, self.box.port, timeout=timeout)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(self.box.host, self.box.port, timeout=timeout,
                                           context=context)


def answer_of(response):
    body = response.read()
    return Answer(response.status, response.getheaders(), body)


def open_socket(box, timeout=20):
    connection = socket.create_connection((box.host, box.port), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head_text(method, target, headers):
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def read_all(connection, seconds=20):
    """Everything until the peer closes, or until `seconds` have passed.

    Returns (bytes, whether it was closed)."""
    data, deadline = b"", time.monotonic() + seconds
    while True:
        connection.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            piece = connection.recv(65536)
        except (TimeoutError, socket.timeout):
            return data, False
        except OSError:
            return data, True
        if not piece:
            return data, True
        data += piece


def statuses(data):
    """The status codes of the answers in a stream, bodies stepped over by Content-Length."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        match = re.match(rb"HTTP/1\.[01] (\d{3})", head)
        if not match:
            break
        found.append(int(match.group(1)))
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        data = rest[int(length.group(1)) if length and found[-1] >= 200 else 0:]
    return found


def exchange(box, data, seconds=10):
    """Send bytes on a new connection; (status codes, whether it was closed, raw answer)."""
    with open_socket(box) as connection:
        try:
            connection.sendall(data)
        except OSError:
            pass
        raw, closed = read_all(connection, seconds)
    return statuses(raw), closed, raw
