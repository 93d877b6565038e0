#!/bin/sh
# Renews the locks: one universal resolution, cut into files that agree with each other, with hashes and without
# any address. Needs uv (https://docs.astral.sh/uv/); only whoever changes a dependency runs this.
set -eu
cd "$(dirname "$0")"
compile() { uv pip compile --universal --python-version 3.11 --no-header --no-annotate --generate-hashes --quiet "$@"; }
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
compile gate.in office.in demo.in test.in fuzz.in build.in -o "$tmp/all.txt"
for name in gate office demo test fuzz build; do
    compile "$name.in" -c "$tmp/all.txt" -o "$name.txt"
done
