"""Trees of files: made, changed, compared. Names and sizes are those that break clients."""
import hashlib
import random
from pathlib import Path

NAMES = ["plain", "with space", "plus+sign", "per%cent", "käse", "日本", "semi;colon", "a&b=c", "quote'd",
         "paren(1)", "comma,", "tilde~", "hash#1", "at@x", "dollar$", "x" * 200]
SIZES = [0, 1, 17, 300, 4096, 9000]  # and a few large ones


def make(folder, count, large=6, seed=1):
    """`count` files in folders of about fifty; `large` of them have up to 3 MB."""
    dice = random.Random(seed)
    for index in range(count):
        path = Path(folder, f"d{index // 50:03}", *(["deep", "er"] if index % 7 == 0 else []),
                    f"{NAMES[index % len(NAMES)]}-{index}")
        path.parent.mkdir(parents=True, exist_ok=True)
        size = dice.randrange(70_000, 3_000_000) if index < large else dice.choice(SIZES)
        path.write_bytes(dice.randbytes(size))
    return Path(folder)


def files_of(folder):
    return sorted(path for path in Path(folder).rglob("*") if path.is_file() and not path.is_symlink())


def change(folder, seed=2):
    """Some grow, some go, some come, one keeps its size. Returns how many are touched."""
    dice = random.Random(seed)
    files = dice.sample(files_of(folder), 40)
    for path in files[:20]:
        path.write_bytes(path.read_bytes() + b"more")
    for path in files[20:35]:
        path.unlink()
    for path in files[35:]:
        path.with_name(path.name[:100] + ".new").write_bytes(dice.randbytes(2000))
    return 40


def digests(folder):
    """{relative path: SHA-256}"""
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files_of(folder)}


def assert_same(left, right):
    one, other = digests(left), digests(right)
    assert one.keys() == other.keys(), sorted(one.keys() ^ other.keys())[:10]
    different = [name for name in one if one[name] != other[name]]
    assert not different, different[:10]


def random_file(path, size, seed=3):
    """A file of `size` random bytes, written by the MiB."""
    dice = random.Random(seed)
    with open(path, "wb") as file:
        for at in range(0, size, 1 << 20):
            file.write(dice.randbytes(min(1 << 20, size - at)))
    return path


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
