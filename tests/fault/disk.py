"""A small ext4 file system of its own, in a file behind a loop device. Needs root, and cleans up
whatever happened: it is unmounted, its device given back, its file removed."""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

UNMOUNT_S = 10


class Disk:
    """with Disk(256 << 20, "-N", 200) as disk: …; the arguments after the size are mkfs.ext4's."""

    def __init__(self, size, *format_options, mount_options="noatime"):
        self.folder = Path(tempfile.mkdtemp(prefix="valise-disk-"))
        self.image, self.path = self.folder / "disk.img", self.folder / "mounted"
        self.size, self.format_options, self.mount_options = size, format_options, mount_options
        self.ballast = self.path / "ballast"

    def __enter__(self):
        try:
            self.path.mkdir()
            with open(self.image, "wb") as image:
                image.truncate(self.size)
            subprocess.run(["mkfs.ext4", "-q", "-F", *map(str, self.format_options), self.image], check=True)
            subprocess.run(["mount", "-o", f"loop,{self.mount_options}", self.image, self.path], check=True)
        except BaseException:
            self.__exit__()
            raise
        return self

    def device(self):
        """/dev/loopN"""
        left = subprocess.run(["losetup", "-n", "-O", "NAME", "-j", self.image], capture_output=True, text=True)
        return left.stdout.split()

    def __exit__(self, *_):
        deadline = time.monotonic() + UNMOUNT_S
        while os.path.ismount(self.path):
            lazily = ["-l"] if time.monotonic() > deadline else []
            if subprocess.run(["umount", *lazily, self.path], capture_output=True).returncode:
                time.sleep(0.1)
        for device in self.device():
            subprocess.run(["losetup", "-d", device])
        shutil.rmtree(self.folder)

    # ---- filling it ----

    def free_bytes(self):
        stat = os.statvfs(self.path)
        return stat.f_bfree * stat.f_frsize

    def fill(self, leave=0):
        """Take what is free but for `leave` bytes, in a file beside the box's."""
        with open(self.ballast, "ab") as file:
            for piece in (1 << 20, 1 << 12):
                while self.free_bytes() >= leave + piece:
                    try:
                        os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, piece)
                    except OSError:
                        break

    def give_back(self):
        self.ballast.unlink()

    def take_inodes(self):
        """Use up all inodes. Returns how many there were."""
        folder = self.path / "inodes"
        folder.mkdir()
        for count in range(1 << 20):
            try:
                (folder / str(count)).touch()
            except OSError:
                return count

    def give_back_inodes(self):
        shutil.rmtree(self.path / "inodes")
