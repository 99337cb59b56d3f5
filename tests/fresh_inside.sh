#!/bin/bash
# fresh_inside.sh - the part of fresh.sh that runs on the fresh machine, in the clone: `make run`,
# a bucket and an object with curl, a clean stop, then the unit and API suites.
# A step prints "  ok    step" or "  FAIL  step"; as the last line "  done".
set -u
cd "$(dirname "$0")/.."
ready_s=1200 # packages and the build are in it
stop_s=20

step() { # NAME COMMAND…
    local name=$1
    shift
    if "$@"; then
        echo "  ok    $name"
    else
        echo "  FAIL  $name"
        return 1
    fi
}

run_and_wait() {
    make run API=127.0.0.1:0 >run.log 2>&1 &
    make_pid=$!
    local deadline=$((SECONDS + ready_s))
    until grep -q '^ready ' run.log && grep -q AWS_ENDPOINT_URL run.log; do
        if ! kill -0 "$make_pid" 2>/dev/null || [ $SECONDS -gt $deadline ]; then
            tail -40 run.log
            return 1
        fi
        sleep 0.2
    done
    url=$(sed -n 's/^ready api=\([^ ]*\).*/\1/p' run.log)
    sed '/^  cc /d' run.log
}

signed() { # CURL'S ARGUMENTS…
    curl -sS --fail-with-body --aws-sigv4 aws:amz:us-east-1:s3 \
        -H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
        --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" "$@"
}

smoke() {
    eval "$(build/valise env --data box)"
    [ "$AWS_ENDPOINT_URL" = "$url" ] &&
        curl -sS --fail "$url/-/health" >/dev/null &&
        [ "$(curl -sS -o /dev/null -w '%{http_code}' "$url/")" = 403 ] &&
        signed -X PUT "$url/fresh" &&
        signed -T README.md "$url/fresh/readme" &&
        signed "$url/fresh/readme" | cmp - README.md
}

stop() { # make ends with the exit code of the program it runs
    local pid
    pid=$(cat "/proc/$make_pid/task/$make_pid/children") && kill -TERM $pid || return
    timeout $stop_s tail --pid="$make_pid" -f /dev/null && wait "$make_pid"
}

suites() {
    ./packages.sh check && tests/check.sh unit api
}

if step "make run" run_and_wait; then
    step "a bucket and an object with curl" smoke
    step "SIGTERM" stop
fi
step "unit and API suites" suites
echo "  done"
