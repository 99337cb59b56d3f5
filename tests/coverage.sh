#!/bin/sh
# coverage.sh - run the unit suite, the fuzzers' corpora and the API suite in the coverage
# variant, then print what they reach by folder and by group, and which error returns no test
# took. Fails below a floor of tests/coverage.py. Counts of an earlier run are forgotten.
#
# Other people's clients (tests/api/clients) take long and come the same ways: they are left out.
set -u
cd "$(dirname "$0")/.."
build=build-coverage
variant="make --no-print-directory VARIANT=coverage CC=gcc"
fuzzers=$(cd tests/fuzz && ls *_fuzz.c | sed 's/_fuzz\.c$//')
$variant all || exit
find $build -name '*.gcda' -delete
rc=0
$variant unit || rc=$?
$variant $(printf "$build/tests/fuzz/%s_fuzz " $fuzzers) || rc=$?
tests/fuzz/corpus.sh $build $fuzzers || rc=$?
tests/venv.sh || rc=$?
VALISE_BIN=$PWD/$build/valise .venv/bin/pytest -q tests/api --ignore tests/api/clients || rc=$?
python3 tests/coverage.py $build || rc=$?
exit $rc
