#!/bin/sh
# venv.sh - make .venv at the root from tests/requirements.txt, unless it is there
# and made from these very requirements. Prints the path of its python.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
requirements=$root/tests/requirements.txt
stamp=$root/.venv/made-from
if ! cmp -s "$requirements" "$stamp"; then
    rm -rf "$root/.venv"
    python3 -m venv "$root/.venv"
    "$root/.venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$requirements" >&2
    cp "$requirements" "$stamp"
fi
echo "$root/.venv/bin/python"
