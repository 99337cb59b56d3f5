"""The five checksums of S3, computed here: the CRCs bit by bit, slow and plain."""
import base64
import hashlib
import zlib

CRC32C_TABLE, CRC64_TABLE = [], []


def table(poly):
    rows = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (poly if byte & 1 else 0)
        rows.append(byte)
    return rows


def crc(rows, bits, data):
    value = ones = (1 << bits) - 1
    for byte in data:
        value = value >> 8 ^ rows[(value ^ byte) & 0xFF]
    return (value ^ ones).to_bytes(bits // 8, "big")


CRC32C_TABLE = table(0x82F63B78)
CRC64_TABLE = table(0x9A6C9329AC4BC9B5)

DIGESTS = {
    "CRC32": lambda data: zlib.crc32(data).to_bytes(4, "big"),
    "CRC32C": lambda data: crc(CRC32C_TABLE, 32, data),
    "CRC64NVME": lambda data: crc(CRC64_TABLE, 64, data),
    "SHA1": lambda data: hashlib.sha1(data).digest(),
    "SHA256": lambda data: hashlib.sha256(data).digest(),
}
NAMES = list(DIGESTS)


def checksum(name, data):
    return base64.b64encode(DIGESTS[name](data)).decode()


def header(name):
    return f"x-amz-checksum-{name.lower()}"
