#!/bin/sh
# unit.sh PROGRAM… - run cmocka programs; one line each, the output of those that fail;
# last line: N passed, N failed, N skipped.
passed=0 failed=0 skipped=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for program in "$@"; do
    timeout 300 "$program" >"$out" 2>&1
    rc=$?
    ok=$(grep -c '^\[       OK \]' "$out")
    bad=$(grep -c '^\[  FAILED  \] [a-z]' "$out")
    skip=$(grep -c '^\[  SKIPPED \] [a-z]' "$out")
    [ $rc -eq 0 ] || [ "$bad" -gt 0 ] || bad=1 # it died
    [ $rc -ne 0 ] || bad=0
    echo "  test  $program: $ok passed, $bad failed, $skip skipped"
    [ "$bad" -eq 0 ] || cat "$out"
    passed=$((passed + ok)) failed=$((failed + bad)) skipped=$((skipped + skip))
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
