#!/usr/bin/env bash
# Install a headless Chromium, with which a test opens the results page. On Debian, as root.
#
#   tools/installers/browser.sh
set -euo pipefail

say() { echo "browser.sh: $*"; }

for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        say "$(command -v "$name") is here"
        exit
    fi
done
if [[ $(id -u) -ne 0 ]] || ! command -v apt-get >/dev/null; then
    say "no Chromium in PATH, and only root can install one here; the test of the page will be skipped" >&2
    exit 1
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
say "installing chromium-headless-shell"
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && apt-get install --yes --no-install-recommends chromium-headless-shell; } >"$log" 2>&1; then
    tail -n 15 "$log" >&2
    say "apt-get could not install chromium-headless-shell" >&2
    exit 1
fi
say "done: $(command -v chromium-headless-shell)"
