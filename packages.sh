#!/bin/sh
# packages.sh build|check|fresh - install the Debian packages that are missing, and only those.
# Debian 12 and 13. Says what it installs; asks for sudo only where it is needed.
set -eu

build="gcc make pkg-config protobuf-c-compiler libprotobuf-c-dev librocksdb-dev
 libmicrohttpd-dev libsodium-dev libexpat1-dev libjansson-dev libisal-dev libssl-dev"
check="$build clang clang-format llvm libcmocka-dev python3 python3-venv curl openssl strace
 e2fsprogs mount procps git awscli rclone s3cmd restic"
fresh="mmdebstrap"

as_root=
[ "$(id -u)" = 0 ] || as_root=sudo

install_missing() {
    missing=
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' ||
            missing="$missing $name"
    done
    [ -n "$missing" ] || return 0
    echo "installing:$missing"
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

case ${1:-} in
build) install_missing $build ;;
check)
    install_missing $check
    # The sanitizers' and fuzzers' runtime carries clang's version in its name.
    install_missing "libclang-rt-$(clang -dumpversion | cut -d. -f1)-dev"
    ;;
fresh) install_missing $fresh ;;
*)
    sed -n 2,3p "$0"
    exit 2
    ;;
esac
