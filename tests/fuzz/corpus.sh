#!/bin/sh
# corpus.sh BUILD NAME… - replay the corpus of each fuzzer; one line each, the output of those
# that fail; last line: N passed, N failed. A fuzzer without a corpus fails.
set -u
cd "$(dirname "$0")/../.."
build=$1
shift
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT
for name in "$@"; do
    seeds=$(find "tests/fuzz/corpus/$name" -type f 2>/dev/null | sort)
    # File names have no spaces; each file is one run of the target.
    if [ -n "$seeds" ] && timeout 120 "$build/tests/fuzz/${name}_fuzz" $seeds >"$out" 2>&1; then
        echo "  corpus  $name: $(echo "$seeds" | wc -l) inputs"
        passed=$((passed + 1))
    else
        echo "  corpus  $name: FAILED"
        [ -n "$seeds" ] && cat -v "$out" || echo "no corpus in tests/fuzz/corpus/$name"
        failed=$((failed + 1))
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
