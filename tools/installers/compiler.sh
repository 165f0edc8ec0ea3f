#!/usr/bin/env bash
# Install a C++ compiler, with which networks train on processors more than twice as fast. Does nothing where there is one.
#
#   tools/installers/compiler.sh
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=_apt.sh
. "${BASH_SOURCE[0]%/*}/_apt.sh"

say() { echo "compiler.sh: $*"; }

# As zspex_toolkit/native/library.py looks for it.
find_compiler() {
    local name
    for name in "${CXX:-}" c++ g++ clang++; do
        if [[ -n $name ]] && command -v "$name"; then return; fi
    done
    return 1
}

if compiler=$(find_compiler); then
    say "found $compiler"
    exit
fi
if ! command -v apt-get >/dev/null; then
    say "no apt-get here; install g++ or clang by other means" >&2
    exit 1
fi
say "installing with apt-get"
apt_install g++ clang || {
    say "apt-get could not install g++ or clang; trainings will do without, and take more than twice as long" >&2
    exit 1
}
say "installed $(find_compiler)"
