# Sourced by the installers of packages that tests or trainings can do without.
# shellcheck shell=bash

# apt_install PACKAGE...: install the first that apt-get can get, as root or with a sudo that asks nothing; else show why.
apt_install() {
    local log package
    log=$(mktemp)
    # The first try spares fetching the lists of packages where they are there.
    if _apt_get "$log" "$1" || { _apt_get "$log" && _apt_get "$log" "$1"; }; then
        rm -f "$log"
        return
    fi
    for package in "${@:2}"; do
        if _apt_get "$log" "$package"; then
            rm -f "$log"
            return
        fi
    done
    tail -n 15 "$log" >&2
    rm -f "$log"
    return 1
}

# _apt_get LOG [PACKAGE]: install the package, or fetch the lists of packages.
_apt_get() {
    local as_root=() words=(update)
    if ((EUID != 0)); then as_root=(sudo -n); fi
    if [[ -n ${2-} ]]; then words=(install --yes --no-install-recommends "$2"); fi
    DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get "${words[@]}" >>"$1" 2>&1
}
