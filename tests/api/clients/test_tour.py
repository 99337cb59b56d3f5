"""The README's five minutes: its commands are typed as printed, and what they print is compared.

What differs from box to box (times, keys, ids, sizes of this build and disk) is masked on both sides;
version ids and byte counts that later commands repeat are not.
"""
import os
import re
import subprocess
from pathlib import Path

from box import ROOT, program
from conftest import find

TIMEOUT_S = 120
MASKS = [(re.compile(pattern), shown) for pattern, shown in (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +\d+ program", "DATE SIZE program"),
    (r"127\.0\.0\.1:\d+", "ADDRESS"),
    (r"program\?\S+", "program?SIGNED"),
    (r"\bVK[A-Z0-9]{18}\b", "ACCESS_KEY"),
    (r"(?m)^secret_key  \S{32,}$", "secret_key  SECRET"),
    (r"\b[0-9a-f]{64}\b", "USER_ID"),
    (r"\b[0-9a-f]{32}\b", "BOX_ID"),
    (r"(?m)^folder    /\S+/box$", "folder    BOX"),
    (r"[0-9.]+ [KMG]iB", "SIZE"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r'"user":"\w+","access_key":null,"uid":\d+', '"user":"YOU","access_key":null,"uid":UID'),
)]


def steps():
    """(command, what it prints) of each line that begins with a prompt."""
    tour = (ROOT / "README.md").read_text().split("## Five minutes with a box")[1].split("\n## ")[0]
    blocks = re.findall(r"```\n(.*?)```", tour, re.DOTALL)
    for block in blocks:
        for step in re.split(r"(?m)^\$ ", block)[1:]:
            command, _, printed = step.partition("\n")
            yield command, printed.rstrip()


def masked(text):
    for pattern, shown in MASKS:
        text = pattern.sub(shown, text)
    return text.rstrip()


def type_in(commands, folder, environment):
    """One shell for all, as a newcomer has it; returns what each printed."""
    mark = "-- next --"
    script = "shopt -s expand_aliases\n" + "".join(f"{command}\necho '{mark}'\n" for command in commands)
    done = subprocess.run(["bash"], input=script, cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT_S)
    return [printed.strip("\n") for printed in done.stdout.split(mark)]


def test_five_minutes(new_box, environment, tmp_path):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "valise").symlink_to(program())
    new_box(data=tmp_path / "box", settings=())
    aws = Path(find("aws", "awscli")).parent
    newcomer = {"PATH": f"{aws}:{os.environ['PATH']}", "HOME": environment["HOME"], "LANG": "C.UTF-8"}
    commands, expected = zip(*steps())
    assert len(commands) > 15
    printed = type_in(commands, tmp_path, newcomer)
    for command, wanted, got in zip(commands, expected, printed):
        assert masked(got) == masked(wanted), command
