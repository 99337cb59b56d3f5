"""A box under measurement: started on a folder, asked, stopped by its pid. Standard library only."""
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "api"))

from sigv4 import UNSIGNED, V4, canonical_request, quote_path  # noqa: E402

READY_S = 300
CONNECTIONS = "1100"  # more than any case opens, so that the metrics can be read meanwhile


class Server:
    def __init__(self, build, data, sync_delay_ms=0):
        self.build, self.data = Path(build).resolve(), Path(data)
        self.sync_delay_ms = sync_delay_ms
        self.process = None

    def _environment(self):
        environment = dict(os.environ)
        environment.pop("VALISE_DATA", None)
        if self.sync_delay_ms:
            environment["LD_PRELOAD"] = str(self.build / "tests/bench/slow_sync.so")
            environment["SLOW_SYNC_MS"] = str(self.sync_delay_ms)
        return environment

    def start(self):
        """Returns the milliseconds until it answered /-/health."""
        begin = time.monotonic()
        command = [self.build / "valise", "serve", "--data", self.data, "--api", "127.0.0.1:0",
                   "--console", "-", "--api-connections-max", CONNECTIONS]
        with open(f"{self.data}.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True,
                                            stdin=subprocess.DEVNULL, env=self._environment())
        timer = threading.Timer(READY_S, self.process.kill)
        timer.start()
        for line in self.process.stdout:
            ready = re.match(r"ready api=http://[\d.]+:(\d+)", line)
            if ready:
                break
        timer.cancel()
        if not ready:
            raise SystemExit(f"the box did not start: {Path(f'{self.data}.log').read_text()}")
        self.port = int(ready.group(1))
        self._plain("GET", "/-/health")
        ready_ms = (time.monotonic() - begin) * 1000
        self.keys = json.loads((self.data / "first-run.json").read_text())
        return ready_ms

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """Stop it; it is waited for however long it takes, at most a minute."""
        if not self.process or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _plain(self, method, path, headers=(), body=b""):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers or [("host", "localhost")]:
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content

    def ask(self, method, path, query="", body=b""):
        """One signed request; its body, or the end of the program."""
        signer = V4(self.keys["access_key"], self.keys["secret_key"])
        headers = [("host", f"127.0.0.1:{self.port}"), ("x-amz-content-sha256", UNSIGNED),
                   ("x-amz-date", signer.amz_date)]
        names = [name for name, _ in headers]
        canonical = canonical_request(method, path, query, headers, names, UNSIGNED)
        signature = signer.authorization(names, signer.signature(canonical))
        target = path + ("?" + query if query else "")
        return self._plain(method, target, [*headers, ("Authorization", signature)], body)

    def begin_upload(self, key):
        answer = self.ask("POST", quote_path(f"/bench/{key}"), "uploads").decode()
        return urllib.parse.quote(re.search("<UploadId>(.*)</UploadId>", answer).group(1), safe="")

    def finish_upload(self, key, upload, etags):
        parts = "".join(f"<Part><PartNumber>{i}</PartNumber><ETag>{etag}</ETag></Part>"
                        for i, etag in enumerate(etags, 1))
        self.ask("POST", quote_path(f"/bench/{key}"), f"uploadId={upload}",
                 f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode())

    def part_etags(self, key, upload):
        etags, marker = [], "0"
        while marker:
            query = f"part-number-marker={marker}&uploadId={upload}"
            page = self.ask("GET", quote_path(f"/bench/{key}"), query).decode()
            etags += re.findall("<ETag>(.*?)</ETag>", page)
            cut = "<IsTruncated>true" in page
            marker = re.search(r"<NextPartNumberMarker>(\d+)", page).group(1) if cut else None
        return etags

    def load(self, name, op, **options):
        """One case of the load generator; its line as a dict."""
        flags = []
        for option, value in options.items():
            flags += [f"--{option}"] if value is True else [f"--{option}", str(value)]
        environment = {**os.environ, "AWS_ACCESS_KEY_ID": self.keys["access_key"],
                       "AWS_SECRET_ACCESS_KEY": self.keys["secret_key"]}
        done = subprocess.run([self.build / "tests/bench/load", "--name", name, "--op", op, "--pid",
                               str(self.pid), "--port", str(self.port), *flags],
                              stdout=subprocess.PIPE, text=True, env=environment)
        if not done.stdout:
            raise SystemExit(f"the load generator failed at '{name}'")
        return json.loads(done.stdout)

    def memory_mb(self):
        """(resident, its peak)"""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return tuple(int(re.search(rf"{name}:\s+(\d+)", status).group(1)) / 1024
                     for name in ("VmRSS", "VmHWM"))

    def forget_files(self):
        """Drop what the page cache holds of the data."""
        os.sync()
        for path in self.data.rglob("*"):
            if path.is_file() and not path.is_socket():
                fd = os.open(path, os.O_RDONLY)
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                os.close(fd)
