"""strace beside a running box: it kills at a system call, makes one fail or wait, or only looks.

A count (`when=N`) is one of each thread and each system call, from the moment of attaching.
"""
import os
import re
import subprocess
import time
from pathlib import Path

ATTACH_S = 20


def tasks_not_traced(pid):
    """Threads of a process that nobody traces; none once the process is gone."""
    left = []
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if re.search(r"^TracerPid:\s+0$", text, re.M) and not re.search(r"^State:\s+[ZX]", text, re.M):
            left.append(status.parent.name)
    return left


class Tracer:
    """with Tracer(box, "-e", "inject=fdatasync:error=EIO:when=3") as tracer: …; tracer.lines() after."""

    def __init__(self, box, *options):
        self.pid = box.process.pid
        self.out = box.folder / "strace.out"
        self.command = ["strace", "-f", "-qq", "-o", str(self.out), "-p", str(self.pid), *map(str, options)]

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        deadline = time.monotonic() + ATTACH_S
        while tasks_not_traced(self.pid):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"strace did not attach: {self.process.stderr.read()[-500:]}")
            time.sleep(0.005)
        return self

    def stop(self):
        """Let go of the box, which goes on."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(ATTACH_S)
        except subprocess.TimeoutExpired:
            os.kill(self.process.pid, 9)
            self.process.wait()

    def __exit__(self, *_):
        self.stop()
        self.process.stderr.close()

    def lines(self):
        return self.out.read_text(errors="replace").splitlines()
