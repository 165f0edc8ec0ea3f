#!/usr/bin/env bash
# Create tools/venv with the toolkit and all it needs. Does nothing if that has been done for this setup.py.
#
#   tools/setup_venv.sh [PYTHON]      PYTHON: a Python >= 3.10; the newest that is found if not given
set -euo pipefail

tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv=$tools/venv
mark=$venv/.installed

say() { echo "setup_venv.sh: $*"; }
die() {
    say "$*" >&2
    exit 1
}

# pyproject.toml does not count: it holds settings of tools, not packages.
wanted_hash() { cat "$tools/../setup.py" "$tools/constraints.txt" | sha256sum | cut -d ' ' -f 1; }

is_installed() { [[ -f $mark && -x $venv/bin/python && $(<"$mark") == "$(wanted_hash)" ]]; }

is_new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; }

find_python() {
    local python
    for python in python3 python3.13 python3.12 python3.11 python3.10; do
        if command -v "$python" >/dev/null && is_new_enough "$python"; then
            echo "$python"
            return
        fi
    done
    die "no Python 3.10 or newer found; install one (Debian, Ubuntu: apt-get install python3 python3-venv)" \
        "or name it: tools/setup_venv.sh /path/to/python3"
}

make_venv() {
    local python=$1 error
    # The folder of an installation that was killed midway can be in any state.
    [[ -e $mark || ! -e $venv ]] || say "removing an unfinished $venv"
    [[ -e $mark ]] || rm -rf "$venv"
    if [[ -x $venv/bin/python ]]; then
        rm -f "$mark"
        return
    fi
    say "creating $venv with $("$python" --version)"
    if "$python" -c 'import venv, ensurepip' 2>/dev/null; then
        error=$("$python" -m venv "$venv" 2>&1) || die "cannot create $venv: $error"
    elif "$python" -c 'import venv, pip' 2>/dev/null; then
        error=$("$python" -m venv --without-pip "$venv" 2>&1) || die "cannot create $venv: $error"
        "$python" -m pip --quiet --python "$venv/bin/python" install pip
    else
        die "$python has no 'venv' or no 'ensurepip' module; install it" \
            "(Debian, Ubuntu: apt-get install python3-venv) and start again"
    fi
}

install_toolkit() {
    local arguments=(--disable-pip-version-check --editable "$tools/..[all]")
    if nvidia-smi -L 2>/dev/null | grep -q '^GPU '; then
        say "an NVIDIA GPU is here: installing torch as published, with CUDA (several GB)"
    else
        arguments+=(--constraint "$tools/constraints.txt")
        say "no NVIDIA GPU here: installing the CPU build of torch (about 1 GB in all)"
    fi
    say "installing packages; this takes minutes; log: $venv/install.log"
    if ! "$venv/bin/python" -m pip install "${arguments[@]}" >"$venv/install.log" 2>&1 &&
        ! "$venv/bin/python" -m pip install "${arguments[@]}" >>"$venv/install.log" 2>&1; then
        tail -n 15 "$venv/install.log" >&2
        die "pip failed (tried twice); the whole log is $venv/install.log"
    fi
}

install_optional() {
    install_extra pesq "the PESQ metric: it is compiled here, and that failed (no C compiler?)"
    # Without a wheel pip would compile all of Praat.
    install_extra voices "the command change_voices: no wheel of praat-parselmouth for this machine was found" \
        --only-binary praat-parselmouth
    install_extra rooms "the command simulate_rooms: no wheel of pyroomacoustics for this machine was found" \
        --only-binary pyroomacoustics
}

# install_extra EXTRA PURPOSE PIP_OPTION...: install it if that is possible, and say what is missing if not.
install_extra() {
    local extra=$1 purpose=$2
    local arguments=(--disable-pip-version-check "${@:3}" --editable "$tools/..[$extra]")
    if ! "$venv/bin/python" -m pip install "${arguments[@]}" >>"$venv/install.log" 2>&1; then
        say "without $purpose; see $venv/install.log"
    fi
}

main() {
    local python=${1:-}
    if is_installed; then return; fi
    exec {lock}<"$tools"
    if ! flock --nonblock "$lock"; then
        say "another set-up is at work; waiting for it"
        flock "$lock"
    fi
    if is_installed; then return; fi
    python=${python:-$(find_python)}
    is_new_enough "$python" || die "$python is no Python 3.10 or newer"
    make_venv "$python"
    install_toolkit
    install_optional
    "$venv/bin/python" "$tools/check_install.py" || die "the installed packages do not work; see above"
    wanted_hash >"$mark.new"
    mv "$mark.new" "$mark"
    say "done"
}

main "$@"
