#!/bin/sh
# Sets this clone up: Debian packages when root, then a virtual environment with the locked dependencies.
# Usage: requirements/setup.sh demo|test|fuzz|faults   Doing it again costs nothing while nothing changed.
set -eu
cd "$(dirname "$0")/.."
profile=${1:?usage: requirements/setup.sh demo|test|fuzz|faults}

say() { printf '\033[1m%s\033[0m\n' "menshen: $*" >&2; }
die() { printf '%s\n' "menshen: $*" >&2; exit 1; }

packages="libzbar0 espeak-ng fonts-wqy-microhei alsa-utils"
locks="build gate office demo"
if [ "$profile" != demo ]; then
    # libatomic1: Playwright's driver dies without it. systemd: systemd-analyze checks our units.
    # iproute2, nftables: networks that are slow, lossy or parted; strace: disks that lie (make faults).
    packages="$packages mosquitto postgresql chromium libatomic1 systemd iproute2 nftables strace"
    locks="$locks test"
fi
if [ "$profile" = fuzz ]; then
    [ "$(uname -m)" = x86_64 ] || die "fuzzing needs x86-64: there is no build of atheris for $(uname -m). The same targets run with hypothesis: make test TEST=tests/fuzz"
    locks="$locks fuzz"
fi

if [ "$profile" = faults ]; then
    # qemu-storage-daemon: a disk whose writes are recorded. Debian 12 has it in another package.
    if grep -qs '^VERSION_ID="12"' /etc/os-release; then packages="$packages qemu-system-common"; else packages="$packages qemu-utils"; fi
fi

# Debian 13 calls some libraries by another name, such as libzbar0t64 (64-bit time), and installs them by the old one.
missing_packages() {
    for package in $packages; do
        dpkg-query -W -f '${Status}\n' "$package" "${package}t64" 2>/dev/null | grep -q '^install ok installed$' || printf '%s ' "$package"
    done
}

install_packages() {
    command -v apt-get >/dev/null || { say "no apt-get here: going on without $1"; return 0; }
    if [ "$(id -u)" != 0 ]; then
        say "not root, so these Debian packages are not installed: $1"
        say "the demo works without them (no ZBar, another voice); to have them: sudo apt install $1"
        return 0
    fi
    say "installing Debian packages: $1"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    if ! { apt-get -qq update && apt-get -qq install -y --no-install-recommends $1 >/dev/null; }; then
        case $profile in demo | faults) ;; *) die "apt-get could not install: $1" ;; esac
        say "apt-get could not install them (no network?): going on without"
    fi
}

missing=$(missing_packages)
[ -z "$missing" ] || install_packages "$missing"

python=${PYTHON:-python3}
"$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' ||
    die "Python 3.11, 3.12 or 3.13 is needed; '$python' is $("$python" -V 2>&1). Another one: make demo PYTHON=python3.12"
"$python" -c 'import ensurepip' 2>/dev/null || die "Python's venv is not installed. As root: apt install python3-venv"

stamp=".venv/.menshen-$profile"
wanted=$( { "$python" -V; pwd; cat requirements/setup.sh pyproject.toml; for lock in $locks; do cat "requirements/$lock.txt"; done; } | sha256sum)
[ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ] || exit 0

say "making the virtual environment .venv (once; a minute or two)"
[ -x .venv/bin/python ] && [ "$(.venv/bin/python -V 2>/dev/null)" = "$("$python" -V)" ] || "$python" -m venv --clear .venv
arguments=""
for lock in $locks; do arguments="$arguments -r requirements/$lock.txt"; done
# shellcheck disable=SC2086
.venv/bin/pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: $arguments
.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
printf '%s\n' "$wanted" > "$stamp"
