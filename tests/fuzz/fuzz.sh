#!/bin/sh
# fuzz.sh BUILD SECONDS NAME… - run each fuzzer for SECONDS, as many side by side as there are
# processors. What it learns is kept in BUILD/corpus/NAME, the seeds stay as they are; an input
# that crashes is saved as tests/fuzz/crash-NAME-…; last line: N passed, N failed.
set -u
cd "$(dirname "$0")/../.."
build=$1 seconds=$2
shift 2

if [ "${FUZZ_ONE:-}" ]; then # one fuzzer, started by xargs below
    name=$1
    mkdir -p "$build/corpus/$name"
    if "$build/tests/fuzz/${name}_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -print_final_stats=1 -artifact_prefix="tests/fuzz/crash-$name-" \
        "$build/corpus/$name" "tests/fuzz/corpus/$name" >"$build/corpus/$name.log" 2>&1; then
        runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/corpus/$name.log")
        echo "  fuzz  $name: $runs runs, $(ls "$build/corpus/$name" | wc -l) inputs kept"
    else
        # One write, so that lines of two fuzzers do not mix.
        echo "  fuzz  $name: FAILED
$(tail -40 "$build/corpus/$name.log" | cat -v)"
    fi
    exit 0
fi

out=$(mktemp)
trap 'rm -f "$out"' EXIT
printf '%s\n' "$@" | FUZZ_ONE=1 xargs -n 1 -P "$(nproc)" "$0" "$build" "$seconds" | tee "$out"
failed=$(grep -c '^  fuzz  .*: FAILED' "$out")
passed=$(grep -c '^  fuzz  .* runs, ' "$out")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -eq $# ]
