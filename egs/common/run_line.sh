#!/usr/bin/env bash
# Run one line of a job list, so that different commands form one job array:  run_line.sh FILE NUMBER
set -euo pipefail
# A program that saves its work is waited for.
trap : USR1
trap 'code=$?; exit $((code ? code : 143))' INT TERM HUP

line=$(sed -n "$2p" "$1")
[[ -n $line ]] || {
    echo "run_line.sh: $1 has no line $2" >&2
    exit 1
}
eval "$line"
