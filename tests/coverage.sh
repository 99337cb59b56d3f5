#!/bin/sh
# coverage.sh - run the unit and API suites in the coverage variant, then print by folder how many
# lines and branches they reach. Counts of an earlier run are forgotten.
set -u
cd "$(dirname "$0")/.."
variant="make --no-print-directory VARIANT=coverage CC=gcc"
$variant all || exit
find build-coverage -name '*.gcda' -delete
rc=0
$variant unit || rc=$?
$variant api || rc=$?
python3 tests/coverage.py build-coverage || rc=$?
exit $rc
