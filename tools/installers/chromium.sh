#!/usr/bin/env bash
# Install a headless Chromium, in which the tests open the pages that reports write. Does nothing where there is one.
#
#   tools/installers/chromium.sh
set -euo pipefail

# shellcheck source-path=SCRIPTDIR source=_apt.sh
. "${BASH_SOURCE[0]%/*}/_apt.sh"

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
say "installing with apt-get"
# Debian has the small one.
apt_install chromium-headless-shell chromium || {
    say "apt-get could not install chromium-headless-shell or chromium; install a browser by hand, and set CHROMIUM" \
        "to its program if it is not on the PATH" >&2
    exit 1
}
say "installed $(find_browser)"
