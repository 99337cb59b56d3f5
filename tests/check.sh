#!/bin/bash
# check.sh SUITE… - run suites of the Makefile one after the other, all of them even
# when one fails; a table at the end, and as the last line: N passed, N failed, N skipped.
# A suite that prints no such line counts as one test.
set -u
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT
total_passed=0 total_failed=0 total_skipped=0
table=

count() { # WORD: the number before it in the last line that has one
    grep -oE "[0-9]+ $1" "$log" | tail -1 | grep -oE '^[0-9]+' || echo 0
}

run_suite() { # NAME
    case $1 in
    asan) make --no-print-directory VARIANT=asan CC=clang all unit && make --no-print-directory VARIANT=asan CC=clang api ;;
    tsan) # it gives up at 64 locks held at once, and does not see into libraries
        export TSAN_OPTIONS="detect_deadlocks=0 suppressions=$PWD/tests/tsan.suppressions"
        make --no-print-directory VARIANT=tsan CC=clang all unit && make --no-print-directory VARIANT=tsan CC=clang api ;;
    api-long) tests/venv.sh && VALISE_BIN=$PWD/build/valise .venv/bin/pytest -q -m long tests/api ;;
    fault-long) tests/venv.sh && VALISE_LONG=1 VALISE_BIN=$PWD/build/valise .venv/bin/pytest -q tests/fault ;;
    powercuts) tests/venv.sh && .venv/bin/python tests/fault/powercut.py --rounds 600 ;;
    *) make --no-print-directory "$1" ;;
    esac
}

for suite in "$@"; do
    echo "== $suite"
    begin=$SECONDS
    run_suite "$suite" 2>&1 | tee "$log"
    rc=${PIPESTATUS[0]}
    passed=$(count passed) failed=$(count failed) skipped=$(count skipped)
    if [ "$passed" = 0 ] && [ "$failed" = 0 ]; then
        if [ "$rc" = 0 ]; then passed=1; else failed=1; fi
    elif [ "$rc" != 0 ] && [ "$failed" = 0 ]; then
        failed=1
    fi
    table="$table$(printf '%-12s %6s passed %6s failed %6s skipped %6s s' \
        "$suite" "$passed" "$failed" "$skipped" $((SECONDS - begin)))"$'\n'
    total_passed=$((total_passed + passed))
    total_failed=$((total_failed + failed))
    total_skipped=$((total_skipped + skipped))
done
printf '\n%s\n' "$table"
echo "$total_passed passed, $total_failed failed, $total_skipped skipped"
[ "$total_failed" = 0 ]
