#!/bin/bash
# fresh.sh [RELEASE…] - what the README tells a newcomer to do, on machines that have nothing:
# for each Debian release (bookworm, trixie) a minimal root with git and make, an ordinary user
# with sudo, a clone of what is committed here, then tests/fresh_inside.sh.
#
# Needs root. Uses the mirror and the pip settings of the running machine. All mounts live in a
# namespace of their own and end with it; the root is removed in every case.
# FRESH_ROOTS=DIR says where the roots are made (3 GB, one at a time).
# Last line: N passed, N failed.
set -u
here=$(cd "$(dirname "$0")/.." && pwd)
passed=0 failed=0 work= inner=
[ "$(id -u)" = 0 ] || { echo "fresh.sh: needs root" >&2; exit 2; }

clean_up() {
    # Its death ends the namespace, with every process and mount in it.
    [ -z "$inner" ] || { kill -KILL "$inner"; wait "$inner"; } 2>/dev/null
    inner=
    [ -z "$work" ] || rm -rf --one-file-system "$work"
    work=
}
trap clean_up EXIT
trap 'exit 1' INT TERM

# "deb URI SUITE COMPONENT" of the running machine's Debian, with its release's name replaced.
sources() { # RELEASE
    local running
    running=$(. /etc/os-release && echo "$VERSION_CODENAME")
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        sed -n "s/^\([^ ]*\) $running\([^ ]* .*\)/deb \1 $1\2/p" | sort -u
}

# How the running machine reaches its mirror.
apt_settings() {
    apt-config dump Acquire | grep -E '^Acquire::(http|https|Check-|Retries|ForceIPv)'
}

pip_settings() { # ROOT
    local file name
    for file in /etc/pip.conf ~/.config/pip/pip.conf ~/.pip/pip.conf; do
        [ ! -f "$file" ] || cat "$file"
    done >"$1/etc/pip.conf"
    # The paths in pip's settings are the running machine's: take what they point at along.
    {
        env | sed -n 's/^PIP_\(CERT\|FIND_LINKS\)=//p'
        sed -n 's/^\(cert\|find-links\) *= *//p' "$1/etc/pip.conf"
    } | while read -r file; do
        [ -e "$file" ] && mkdir -p "$1$(dirname "$file")" && cp -rL "$file" "$1$(dirname "$file")/"
    done
    for name in $(compgen -e | grep -E '^(PIP_|https?_proxy$|no_proxy$)'); do
        printf 'export %s=%q\n' "$name" "${!name}"
    done >"$1/etc/profile.d/fresh.sh"
}

make_root() { # RELEASE ROOT
    sources "$1" >"$work/sources"
    apt_settings >"$work/apt.conf"
    mmdebstrap --quiet --variant=minbase --aptopt="$work/apt.conf" \
        --include=git,make,sudo,curl,ca-certificates "$1" "$2" "$work/sources" || return
    cp -L /etc/resolv.conf /etc/hosts "$2/etc/"
    chroot "$2" useradd --create-home --shell /bin/bash newcomer || return
    echo 'newcomer ALL=(ALL) NOPASSWD: ALL' >"$2/etc/sudoers.d/newcomer"
    pip_settings "$2"
    git -c safe.directory='*' clone --quiet --no-local "$here" "$2/srv/valise" || return
    chroot "$2" chown -R newcomer: /srv/valise
}

# In namespaces of its own, whose mounts and processes end with this one; only in the background.
enter() { # ROOT
    exec unshare --mount --pid --fork --kill-child --propagation private bash -c '
        mount -t proc proc "$1/proc" && mount -t sysfs -o ro sysfs "$1/sys" &&
        mount --rbind /dev "$1/dev" &&
        exec chroot "$1" su - newcomer -c "cd /srv/valise && tests/fresh_inside.sh"' - "$1"
}

[ $# -gt 0 ] || set -- bookworm trixie
for release in "$@"; do
    echo "== $release"
    work=$(mktemp -d "${FRESH_ROOTS:-/var/tmp}/valise-fresh.XXXXXX")
    log=$work/log
    : >"$log"
    if make_root "$release" "$work/root"; then
        enter "$work/root" >"$log" 2>&1 &
        inner=$!
        tail -f --pid="$inner" "$log" &
        wait "$inner"
        inner=
        wait
        passed=$((passed + $(grep -c '^  ok    ' "$log")))
        failed=$((failed + $(grep -c '^  FAIL  ' "$log")))
        grep -q '^  done$' "$log" || failed=$((failed + 1))
    else
        echo "  FAIL  a root of $release"
        failed=$((failed + 1))
    fi
    clean_up
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
