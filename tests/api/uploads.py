"""Multipart uploads in pieces: what the tests of uploads, copies and attributes share.

Bodies are random, so that a part in the wrong place is seen; digests of megabytes come from
libraries here, where checksums.py computes the CRCs plainly.
"""
import base64
import hashlib
import random
import zlib

from awscrt import checksums as crt

import sigv4

MIB = 1 << 20
PART = 5 * MIB  # the smallest that a part in the middle may be
FULL, COMPOSITE = "FULL_OBJECT", "COMPOSITE"
TYPES = {"CRC32": (COMPOSITE, FULL), "CRC32C": (COMPOSITE, FULL), "CRC64NVME": (FULL,),
         "SHA1": (COMPOSITE,), "SHA256": (COMPOSITE,)}  # the default first
KINDS = [(name, kind) for name, kinds in TYPES.items() for kind in kinds]
DIGESTS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crt.crc32c(data).to_bytes(4, "big"),
    "CRC64NVME": lambda data: crt.crc64nvme(data).to_bytes(8, "big"),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
POOL = random.Random(6).randbytes(24 * MIB + 77)


def body_of(size, seed=0):
    """`size` bytes, others for every seed below 1000."""
    return POOL[seed * 1009:seed * 1009 + size]


def checksum(name, data):
    return base64.b64encode(DIGESTS[name](data)).decode()


def checksum_of_parts(name, kind, bodies):
    """The object's checksum, as S3 writes it."""
    if kind == FULL:
        return checksum(name, b"".join(bodies))
    return f"{checksum(name, b''.join(map(DIGESTS[name], bodies)))}-{len(bodies)}"


def md5(data):
    return f'"{hashlib.md5(data).hexdigest()}"'


def etag_of_parts(bodies):
    digests = b"".join(hashlib.md5(body).digest() for body in bodies)
    return f'"{hashlib.md5(digests).hexdigest()}-{len(bodies)}"'


class Upload:
    """One upload through a boto3 client; remembers what Complete has to name."""

    def __init__(self, s3, bucket, key="k", **options):
        self.s3 = s3
        self.place = {"Bucket": bucket, "Key": key}
        self.created = s3.create_multipart_upload(**self.place, **options)
        self.place["UploadId"] = self.id = self.created["UploadId"]
        self.parts = {}
        self.algorithm = options.get("ChecksumAlgorithm")

    def put(self, number, body, **options):
        if self.algorithm and not any(name.startswith("Checksum") for name in options):
            options["ChecksumAlgorithm"] = self.algorithm
        answer = self.s3.upload_part(**self.place, PartNumber=number, Body=body, **options)
        self.parts[number] = {"PartNumber": number, "ETag": answer["ETag"]}
        return answer

    def copy(self, number, source, **options):
        answer = self.s3.upload_part_copy(**self.place, PartNumber=number, CopySource=source, **options)
        self.parts[number] = {"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]}
        return answer

    def complete(self, parts=None, **options):
        """parts: as MultipartUpload has them; None = all that were put."""
        if parts is None:
            parts = [self.parts[number] for number in sorted(self.parts)]
        return self.s3.complete_multipart_upload(**self.place, MultipartUpload={"Parts": parts}, **options)

    def abort(self):
        return self.s3.abort_multipart_upload(**self.place)

    def list(self, **options):
        return self.s3.list_parts(**self.place, **options)

    def numbers(self):
        return [part["PartNumber"] for part in self.list().get("Parts", [])]

    def target(self, **query):
        """Path and query of the upload, for raw requests."""
        pairs = [("uploadId", self.id), *((name, str(value)) for name, value in query.items())]
        return f"/{self.place['Bucket']}/{self.place['Key']}", sigv4.query_string(pairs)


def make(s3, bucket, key, bodies, **options):
    """An object of these parts. Returns Complete's answer."""
    upload = Upload(s3, bucket, key, **options)
    for number, body in enumerate(bodies, 1):
        upload.put(number, body)
    return upload.complete()


def read(s3, bucket, key="k", **options):
    return s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()


def uploads_in(s3, bucket, **options):
    """(key, id) of the uploads under way, as listed."""
    page = s3.list_multipart_uploads(Bucket=bucket, **options)
    return [(upload["Key"], upload["UploadId"]) for upload in page.get("Uploads", [])]


def complete_xml(parts, namespace=True):
    """A Complete document of (number, ETag) in the order given."""
    xmlns = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"' if namespace else ""
    inner = "".join(f"<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"
                    for number, etag in parts)
    return f"<CompleteMultipartUpload{xmlns}>{inner}</CompleteMultipartUpload>".encode()
