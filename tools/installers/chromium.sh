#!/usr/bin/env bash
# Install a headless Chromium, in which the tests open the pages that reports write. Does nothing where there is one.
#
#   tools/installers/chromium.sh
set -euo pipefail

say() { echo "chromium.sh: $*"; }

# As test/report/headless_browser.py looks for it.
find_browser() {
    local name
    for name in ${CHROMIUM:-chromium-headless-shell chromium chromium-browser google-chrome chrome}; do
        if command -v "$name"; then return; fi
    done
    return 1
}

if browser=$(find_browser); then
    say "found $browser"
    exit
fi
if ! command -v apt-get >/dev/null; then
    say "no apt-get here; install Chromium by other means, and set CHROMIUM to its program if it is not on the PATH" >&2
    exit 1
fi
as_root=()
if ((EUID != 0)); then as_root=(sudo -n); fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get "$@" >>"$log" 2>&1; }
install() { apt install --yes --no-install-recommends "$1"; }
say "installing with apt-get"
# Debian has the small one; the first try spares fetching the lists of packages where they are there.
if ! install chromium-headless-shell && ! { apt update && install chromium-headless-shell; } && ! install chromium; then
    tail -n 15 "$log" >&2
    say "apt-get could not install chromium-headless-shell or chromium; install a browser by hand, and set CHROMIUM" \
        "to its program if it is not on the PATH" >&2
    exit 1
fi
say "installed $(find_browser)"
