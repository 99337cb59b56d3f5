"""A client that costs little: one connection that is kept, a signing key that is kept, and bodies
that are not hashed. It tells an answer that did not come from a request that did not go out.
"""
import datetime
import hashlib
import hmac
import json
import re
import socket
import time
import urllib.parse

from sigv4 import UNSIGNED, V4


class Cut(Exception):
    """The request went out, the answer did not come whole: what happened is unknown."""


class NotSent(Exception):
    """There was nobody to send it to: nothing happened."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def ok(self):
        return 200 <= self.status < 300

    @property
    def code(self):
        """The code of an S3 error."""
        found = re.search(rb"<Code>([^<]*)</Code>", self.body)
        return found.group(1).decode() if found else None

    def texts(self, name):
        """The texts of all elements of that name; for keys and ids without entities."""
        return [text.decode() for text in re.findall(b"<%s>([^<]*)</%s>" % ((name.encode(),) * 2), self.body)]

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    def __init__(self, box, keys=None, skew_s=0, timeout=60):
        """skew_s: what to add to this machine's clock, where the box has another one."""
        self.box, self.keys, self.skew_s, self.timeout = box, keys or box.admin, skew_s, timeout
        self.socket = None
        self.port = None
        self.date = None

    # ---- signing ----

    def stamp(self):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.skew_s)
        text = now.strftime("%Y%m%dT%H%M%SZ")
        if text[:8] != self.date:
            self.date = text[:8]
            signer = V4(self.keys.access_key, self.keys.secret_key, when=now)
            self.scope, self.key = signer.scope, signer.key()
        return text

    def head(self, method, path, query, headers, length):
        stamp = self.stamp()
        signed = sorted([("host", self.host), ("x-amz-content-sha256", UNSIGNED), ("x-amz-date", stamp),
                         *headers])
        names = ";".join(name for name, _ in signed)
        lines = "\n".join(f"{name}:{value}" for name, value in signed)
        canonical = f"{method}\n{path}\n{query}\n{lines}\n\n{names}\n{UNSIGNED}"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{self.scope}\n{digest}"
        signature = hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()
        credential = f"{self.keys.access_key}/{self.scope}"
        target = path + ("?" + query if query else "")
        fields = "".join(f"{name}: {value}\r\n" for name, value in signed)
        return (f"{method} {target} HTTP/1.1\r\n{fields}Authorization: AWS4-HMAC-SHA256 "
                f"Credential={credential}, SignedHeaders={names}, Signature={signature}\r\n"
                f"Content-Length: {length}\r\n\r\n").encode()

    # ---- the wire ----

    @property
    def host(self):
        return f"{self.box.host}:{self.box.port}"

    def close(self):
        if self.socket:
            self.socket.close()
            self.socket = None

    def connect(self):
        if self.socket and self.port == self.box.port:
            return
        self.close()
        self.port = self.box.port
        try:
            self.socket = socket.create_connection((self.box.host, self.port), timeout=self.timeout)
        except OSError as error:
            raise NotSent(str(error))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def request(self, method, path, query="", headers=(), body=b""):
        """headers: lower-case names, all signed; path and query: encoded, the query sorted."""
        self.connect()
        try:
            head = self.head(method, path, query, headers, len(body))
            return self.exchange(method, head, body)
        except (OSError, Cut) as error:
            self.close()
            raise error if isinstance(error, Cut) else Cut(repr(error))

    def exchange(self, method, head, body):
        try:
            self.socket.sendall(head + body if len(body) < 65536 else head)
            if len(body) >= 65536:
                self.socket.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused in mid-body: the answer says why
        return self.read_answer(method)

    def read_answer(self, method):
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.receive()
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = 0 if method == "HEAD" or status in (204, 304) else int(headers.get("content-length", 0))
        pieces, have = [rest], len(rest)
        while have < length:
            pieces.append(self.receive())
            have += len(pieces[-1])
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, b"".join(pieces))

    def receive(self):
        piece = self.socket.recv(1 << 18)
        if not piece:
            raise Cut("closed by the peer")
        return piece

    # ---- what the tests ask for ----

    def put(self, path, body, headers=()):
        return self.request("PUT", path, headers=headers, body=body)

    def get(self, path):
        return self.request("GET", path)

    def delete(self, path):
        return self.request("DELETE", path)

    def make_bucket(self, name):
        answer = self.request("PUT", "/" + name)
        assert answer.ok, answer
        return name

    def list(self, bucket):
        """{key: ETag} of a whole bucket."""
        found, token = {}, ""
        while True:
            query = f"continuation-token={urllib.parse.quote(token, safe='')}&list-type=2"
            answer = self.request("GET", "/" + bucket, query if token else "list-type=2")
            assert answer.status == 200, answer
            etags = [text.replace("&quot;", '"') for text in answer.texts("ETag")]
            found.update(zip(answer.texts("Key"), etags, strict=True))
            tokens = answer.texts("NextContinuationToken")
            if not tokens:
                return found
            token = tokens[0]

    def health(self):
        """(status, object) of /-/health."""
        answer = self.request("GET", "/-/health")
        return answer.status, json.loads(answer.body)

    def metric(self, name):
        answer = self.request("GET", "/-/metrics")
        return int(re.search(rf"^{name} (\d+)$", answer.body.decode(), re.M).group(1))


def until(condition, seconds=10, pause_s=0.02):
    """Wait for condition() to be true; what it returned, or the last it returned in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(pause_s)
