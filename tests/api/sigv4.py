"""Signatures of S3 requests, by the letter of the documents and independent of botocore:
version 4 in headers and query, version 2 in both, and aws-chunked bodies.

Every step can be told to do the wrong thing: tests take the pieces and bend them.
"""
import base64
import datetime
import hashlib
import hmac
import urllib.parse

UNSIGNED = "UNSIGNED-PAYLOAD"
CHUNKED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
CHUNKED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
SUBRESOURCES_V2 = frozenset(
    "acl accelerate cors delete lifecycle location logging notification partNumber policy "
    "requestPayment replication tagging torrent uploadId uploads versionId versioning versions "
    "website response-cache-control response-content-disposition response-content-encoding "
    "response-content-language response-content-type response-expires".split())


def now():
    return datetime.datetime.now(datetime.timezone.utc)


def quote(text, safe=""):
    return urllib.parse.quote(text, safe="-._~" + safe)


def quote_path(key):
    """A bucket or key as it goes into the request line: '/' stays."""
    return quote(key, "/")


def query_string(items):
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in items)


def canonical_query(query):
    """From the raw query: decoded, encoded once, sorted after that; 'a' is 'a='."""
    items = []
    for piece in filter(None, query.split("&")):
        name, _, value = piece.partition("=")
        items.append((quote(urllib.parse.unquote_to_bytes(name)),
                      quote(urllib.parse.unquote_to_bytes(value))))
    return "&".join(f"{name}={value}" for name, value in sorted(items))


def canonical_request(method, path, query, headers, signed, payload):
    """path, query: raw; headers: (name, value) as sent; signed: lower-case names in order."""
    values = {}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    lines = [method, quote(urllib.parse.unquote_to_bytes(path), "/"), canonical_query(query)]
    lines += [f"{name}:{','.join(values.get(name, ['']))}" for name in signed]
    return "\n".join([*lines, "", ";".join(signed), payload])


def hmac_sha256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class V4:
    """What a version 4 signature is made of."""

    def __init__(self, access_key, secret_key, when=None, region="us-east-1", service="s3"):
        when = when or now()
        self.access_key = access_key
        self.secret_key = secret_key
        self.amz_date = when.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.amz_date[:8]}/{region}/{service}/aws4_request"

    @property
    def credential(self):
        return f"{self.access_key}/{self.scope}"

    def key(self):
        key = ("AWS4" + self.secret_key).encode()
        for piece in self.scope.split("/"):
            key = hmac_sha256(key, piece)
        return key

    def sign(self, text):
        return hmac.new(self.key(), text.encode(), hashlib.sha256).hexdigest()

    def signature(self, canonical):
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        return self.sign("\n".join(["AWS4-HMAC-SHA256", self.amz_date, self.scope, digest]))

    def authorization(self, signed, signature):
        return (f"AWS4-HMAC-SHA256 Credential={self.credential}, "
                f"SignedHeaders={';'.join(signed)}, Signature={signature}")

    def chunk_signature(self, previous, data):
        lines = ["AWS4-HMAC-SHA256-PAYLOAD", self.amz_date, self.scope, previous, EMPTY_SHA256,
                 hashlib.sha256(data).hexdigest()]
        return self.sign("\n".join(lines))

    def trailer_signature(self, previous, lines):
        """lines: canonical, 'name:value\\n' each."""
        digest = hashlib.sha256(lines.encode()).hexdigest()
        return self.sign("\n".join(["AWS4-HMAC-SHA256-TRAILER", self.amz_date, self.scope, previous,
                                    digest]))

    def presign(self, method, path, query, host, expires, headers=()):
        """A raw query with the signature; headers: more that are to be signed."""
        all_headers = [("host", host), *headers]
        signed = sorted({name.lower() for name, _ in all_headers})
        items = [("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", self.credential),
                 ("X-Amz-Date", self.amz_date), ("X-Amz-Expires", str(expires)),
                 ("X-Amz-SignedHeaders", ";".join(signed))]
        query = "&".join(filter(None, [query, query_string(items)]))
        canonical = canonical_request(method, path, query, all_headers, signed, UNSIGNED)
        return f"{query}&X-Amz-Signature={self.signature(canonical)}"


def chunked_body(signer, seed, pieces, trailer=None, signed=True, break_chunk=None):
    """An aws-chunked body of `pieces`.

    trailer      [(name, value)]; the last chunk of 0 bytes is added here
    break_chunk  index of a chunk whose signature is to be wrong (the last one of 0 bytes counts)
    """
    body, previous = b"", seed
    for index, piece in enumerate([*pieces, b""]):
        line = f"{len(piece):x}"
        if signed:
            previous = signer.chunk_signature(previous, piece)
            shown = previous if index != break_chunk else flip(previous)
            line += f";chunk-signature={shown}"
        body += line.encode() + b"\r\n"
        if piece:
            body += piece + b"\r\n"
    if trailer is None:
        return body + b"\r\n"
    lines = "".join(f"{name}:{value}\r\n" for name, value in trailer)
    if signed:
        canonical = "".join(f"{name.lower()}:{value.strip()}\n" for name, value in trailer)
        signature = signer.trailer_signature(previous, canonical)
        shown = signature if break_chunk != "trailer" else flip(signature)
        lines += f"x-amz-trailer-signature:{shown}\r\n"
    return body + lines.encode() + b"\r\n"


def flip(hex_text):
    """The same with its first digit changed."""
    return ("0" if hex_text[0] != "0" else "1") + hex_text[1:]


def string_to_sign_v2(method, path, query, headers, date):
    lower = {name.lower(): value.strip() for name, value in headers}
    lines = [method, lower.get("content-md5", ""), lower.get("content-type", ""), date]
    lines += [f"{name}:{lower[name]}" for name in sorted(lower) if name.startswith("x-amz-")]
    kept = []
    for piece in filter(None, query.split("&")):
        name, has_value, value = piece.partition("=")
        if name in SUBRESOURCES_V2:
            kept.append(f"{name}={urllib.parse.unquote(value)}" if has_value else name)
    return "\n".join([*lines, path + ("?" + "&".join(sorted(kept)) if kept else "")])


def sign_v2(secret_key, text):
    return base64.b64encode(hmac.new(secret_key.encode(), text.encode(), hashlib.sha1).digest()).decode()
