#!/usr/bin/env python3
"""bench.py - measure a box on this machine's disk: starts one in a fresh folder, runs the cases,
prints a table, stops it and removes the folder. `make bench` runs it; README.md says how to read it.
"""
import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from server import Server

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MEMORY_FILE_SYSTEMS = {"tmpfs", "ramfs", "overlay"}
COLUMNS = [  # heading, width, text of a row
    ("case", 26, lambda r: r["case"]),
    ("conn", 5, lambda r: r["connections"]),
    ("ops/s", 9, lambda r: f"{r['ops_s']:.0f}" if r["ops_s"] >= 100 else f"{r['ops_s']:.1f}"),
    ("MB/s", 7, lambda r: f"{r['mb_s']:.0f}"),
    ("p50 ms", 8, lambda r: f"{r['p50_ms']:.2f}"),
    ("p99 ms", 8, lambda r: f"{r['p99_ms']:.2f}"),
    ("max ms", 8, lambda r: f"{r['max_ms']:.1f}"),
    ("CPU/1k", 9, lambda r: f"{r['server_cpu_ms_per_1000']:.1f}"),
    ("sys", 5, lambda r: f"{r['server_sys_share'] * 100:.0f}%"),
    ("syncs", 6, lambda r: f"{r['syncs_per_op']:.2f}"),
    ("WA", 5, lambda r: f"{r['disk_bytes_per_byte']:.2f}" if r["op"] in ("put", "part") else ""),
    ("RSS", 5, lambda r: f"{r['rss_mb']:.0f}"),
    ("peak", 5, lambda r: f"{r['peak_mb']:.0f}"),
    ("own/1k", 8, lambda r: f"{r['client_cpu_ms_per_1000']:.1f}"),
    ("others", 7, lambda r: f"{r['others_cores']:.2f}"),
    ("errors", 6, lambda r: r["errors"] or ""),
]


class Scale:
    """How long and how much."""

    def __init__(self, arguments):
        quick, long = arguments.quick, arguments.long
        self.ms = 500 if quick else 5000
        self.tree_keys = 20_000 if quick else 100_000
        self.upload_bytes = 20 * GIB if long else GIB
        self.part_bytes = 64 * MIB if long else 16 * MIB
        self.many_keys = 1_000_000 if long else 0
        self.put_connections = (16,) if quick else (1, 16, 64)
        self.read_connections = (16,) if quick else (16, 64)
        self.slow_connections = (16, 64) if quick else (1, 16, 64, 256)


class Bench:
    def __init__(self, server, scale, out):
        self.server, self.scale, self.out = server, scale, out
        self.errors = 0

    def case(self, name, op, **options):
        options.setdefault("ms", self.scale.ms)
        result = self.server.load(name, op, **options)
        self.errors += result["errors"]
        self.out.row(result)
        return result

    def small(self):
        """Objects of 4 KiB: put, get, head, delete."""
        keys = 0
        for connections in self.scale.put_connections:
            done = self.case("put 4 KiB", "put", size=4 * KIB, connections=connections,
                             prefix=f"small{connections}/")
            keys = done["ops"] + done["errors"]
        prefix = f"small{self.scale.put_connections[-1]}/"
        self.case("put 4 KiB, CRC32 trailer", "put", size=4 * KIB, connections=16, prefix="crc/",
                  trailer=True)
        self.case("put 4 KiB, SHA-256 signed", "put", size=4 * KIB, connections=16, prefix="sha/",
                  hashed=True)
        for connections in self.scale.read_connections:
            self.case("get 4 KiB, hot", "get", connections=connections, prefix=prefix,
                      keys=min(keys, 1000))
        self.server.forget_files()
        self.case("get 4 KiB, cold", "get", connections=16, prefix=prefix, keys=keys, count=keys)
        self.case("head", "head", connections=16, prefix=prefix, keys=min(keys, 1000))
        self.case("delete", "delete", connections=16, prefix=prefix, count=keys)

    def large(self):
        for text, size, connections in (("1 MiB", MIB, 4), ("64 MiB", 64 * MIB, 2)):
            prefix = f"large{size}/"
            done = self.case(f"put {text}", "put", size=size, connections=connections, prefix=prefix)
            self.case(f"put {text}, CRC32 trailer", "put", size=size, connections=connections,
                      prefix=prefix + "crc/", trailer=True)
            self.case(f"get {text}", "get", connections=connections, prefix=prefix,
                      keys=done["ops"])
            self.server.forget_files()
            self.case(f"get {text}, cold", "get", connections=connections, prefix=prefix,
                      keys=done["ops"], count=done["ops"])
            self.case(f"delete {text}", "delete", connections=connections, prefix=prefix,
                      count=done["ops"])

    def listing(self):
        keys = self.scale.tree_keys
        self.case(f"put 100 B, {keys} keys", "put", size=100, connections=64, prefix="tree/",
                  folders=100, count=keys, ms=600_000)
        self.pages("tree/", keys)

    def pages(self, prefix, keys):
        """A page of keys, and one of the 100 folders that they are spread over."""
        self.case(f"list 1000 of {keys}", "list", connections=1, prefix=prefix)
        self.case(f"delimiter, {keys} keys", "list", connections=1, prefix=prefix, delimited=True)

    def upload(self):
        """A multipart upload; the memory must stay as it is."""
        parts = self.scale.upload_bytes // self.scale.part_bytes
        upload = self.server.begin_upload("upload")
        name = f"upload of {self.scale.upload_bytes // GIB} GiB in parts"
        self.case(name, "part", size=self.scale.part_bytes, connections=2, count=parts, first=1,
                  prefix="upload", upload=upload, ms=600_000)
        begin = time.monotonic()
        self.server.finish_upload("upload", upload, self.server.part_etags("upload", upload))
        self.out.say(f"completing {parts} parts took {(time.monotonic() - begin) * 1000:.0f} ms")
        self.server.ask("DELETE", "/bench/upload")

    def connections(self):
        """One request on each of 1,000 connections, all open: the memory that they hold."""
        before, _ = self.server.memory_mb()
        self.case("prepare", "put", size=100, connections=1, count=1, prefix="one/")
        done = self.case("1000 connections open", "head", connections=1000, count=1000, keys=1,
                         prefix="one/")
        self.out.say(f"memory of 1,000 connections: {done['rss_mb'] - before:.0f} MB")

    def restart(self, what):
        begin = time.monotonic()
        self.server.stop()
        stopped_ms = (time.monotonic() - begin) * 1000
        self.out.say(f"stopping took {stopped_ms:.0f} ms; from start to the first answer, {what}: "
                     f"{self.server.start():.0f} ms; memory then {self.server.memory_mb()[0]:.0f} MB")

    def many(self):
        keys = self.scale.many_keys
        self.case(f"put 100 B, {keys} keys", "put", size=100, connections=64, prefix="many/",
                  folders=100, count=keys, ms=600_000)
        self.pages("many/", keys)
        self.restart(f"{keys} objects")
        self.server.forget_files()
        self.case(f"get 100 B of {keys}, cold", "get", connections=16, prefix="many/", folders=100,
                  keys=keys)


class Out:
    """The table, and every line as JSON where it is wanted."""

    def __init__(self, json_path):
        self.json = open(json_path, "w") if json_path else None

    def say(self, text):
        print(text, flush=True)

    def head(self):
        self.say(" ".join(f"{name:>{width}}" if at else f"{name:<{width}}"
                          for at, (name, width, _) in enumerate(COLUMNS)))

    def row(self, result):
        cells = [(str(text(result)), width) for _, width, text in COLUMNS]
        self.say(" ".join(f"{cell:>{width}}" if at else f"{cell:<{width}}"
                          for at, (cell, width) in enumerate(cells)))
        if self.json:
            print(json.dumps(result), file=self.json, flush=True)


def file_system(folder):
    return subprocess.run(["stat", "-f", "-c", "%T", folder], check=True, capture_output=True,
                          text=True).stdout.strip()


def cpu_speed():
    """MB of MD5 a second of CPU: what other programs on the cores leave of them."""
    piece = bytes(MIB)
    begin = time.process_time()
    for _ in range(64):
        hashlib.md5(piece).digest()
    return 64 * MIB / 1e6 / (time.process_time() - begin)


def say_machine(when, out):
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    out.say(f"machine {when}: load {load}; MD5 at {cpu_speed():.0f} MB/s of CPU")


def describe(arguments, folder, out):
    kind = file_system(folder)
    version = subprocess.run([Path(arguments.build) / "valise", "version"], capture_output=True,
                             text=True).stdout.strip()
    out.say(f"{version}; {os.cpu_count()} cores; {kind}; Linux {os.uname().release}")
    say_machine("before", out)
    if kind in MEMORY_FILE_SYSTEMS:
        out.say(f"NOTE: '{kind}' may not be a disk: the figures of writes mean little; see --folder")


def measure(arguments, folder, out):
    """All cases on one box; how many requests failed."""
    scale = Scale(arguments)
    server = Server(arguments.build, folder / "box")
    bench = Bench(server, scale, out)
    try:
        first_ms = server.start()
        out.say(f"from start to the first answer, a new box: {first_ms:.0f} ms; "
                f"memory idle {server.memory_mb()[0]:.0f} MB")
        server.ask("PUT", "/bench")
        out.head()
        steps = [bench.connections, bench.small, bench.listing, bench.large, bench.upload]
        for step in steps + [bench.many] * bool(scale.many_keys):
            step()
        out.say(f"memory after all of it: {server.memory_mb()[0]:.0f} MB")
        bench.restart("after all of it")
    finally:
        server.stop()
    return bench.errors


def measure_slow(arguments, folder, out):
    """PUT on a disk whose syncs take longer."""
    server = Server(arguments.build, folder / "slow", arguments.sync_delay)
    scale = Scale(arguments)
    bench = Bench(server, scale, out)
    try:
        server.start()
        server.ask("PUT", "/bench")
        out.say(f"with {arguments.sync_delay:g} ms more for each sync:")
        for connections in scale.slow_connections:
            bench.case("put 4 KiB, slow sync", "put", size=4 * KIB, connections=connections,
                       prefix=f"slow{connections}/")
        bench.case("put 1 MiB, slow sync", "put", size=MIB, connections=4, prefix="slow/")
    finally:
        server.stop()
    return bench.errors


def read_arguments():
    parser = argparse.ArgumentParser(description="Measure a box on this machine's disk.")
    parser.add_argument("--build", default="build", help="folder of the built program")
    parser.add_argument("--folder", help="where data goes (default: beside the build)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--quick", action="store_true", help="half a second a case, fewer cases")
    how.add_argument("--long", action="store_true",
                     help="with 1,000,000 objects and an upload of 20 GiB: needs 45 GB of disk")
    parser.add_argument("--sync-delay", type=float, default=0, metavar="MS",
                        help="repeat PUT with so much added to every sync")
    parser.add_argument("--json", metavar="FILE", help="write each case as a line of JSON")
    return parser.parse_args()


def main():
    arguments = read_arguments()
    out = Out(arguments.json)
    parent = arguments.folder or Path(arguments.build).resolve()
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=parent))
    try:
        describe(arguments, folder, out)
        errors = measure(arguments, folder, out)
        if arguments.sync_delay:
            errors += measure_slow(arguments, folder, out)
        say_machine("after", out)
    finally:
        shutil.rmtree(folder)
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
