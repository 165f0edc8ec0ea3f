#!/usr/bin/env bash
# Install the first of these Debian packages that apt-get can get, as root or with a sudo that asks nothing.
#
#   tools/installers/_apt_install.sh PACKAGE [PACKAGE...]
set -euo pipefail

if ! command -v apt-get >/dev/null; then
    echo "apt-get: expected it on the PATH, found none; install $1 by other means" >&2
    exit 1
fi
as_root=()
if ((EUID != 0)); then as_root=(sudo -n); fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get "$@" >>"$log" 2>&1; }
install_first() {
    local package
    for package in "$@"; do
        if apt install --yes --no-install-recommends "$package"; then return; fi
    done
    return 1
}

echo "installing $1 with apt-get"
# The first try spares fetching the lists of packages where they are there.
if ! install_first "$1" && ! { apt update && install_first "$@"; }; then
    tail -n 15 "$log" >&2
    echo "apt-get: could not install any of: $*" >&2
    exit 1
fi
