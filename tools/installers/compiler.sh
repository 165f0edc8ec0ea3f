#!/usr/bin/env bash
# Install a C++ compiler, with which networks train on processors more than twice as fast. Does nothing where there is one.
#
#   tools/installers/compiler.sh
set -euo pipefail

# As zspex_toolkit/native/library.py looks for it.
for name in "${CXX:-}" c++ g++ clang++; do
    if [[ -n $name ]] && compiler=$(command -v "$name"); then
        echo "compiler.sh: found $compiler"
        exit
    fi
done
"$(dirname "${BASH_SOURCE[0]}")/_apt_install.sh" g++ clang
echo "compiler.sh: installed $(command -v c++ || command -v clang++)"
