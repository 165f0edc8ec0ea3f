#!/usr/bin/env bash
# Stop what sge_up.sh started, each daemon by the pid in its pid file, and nothing else; its jobs are deleted. A Grid
# Engine that sge_up.sh did not set up is left alone.
#
#   tools/installers/sge_down.sh
set -uo pipefail
# shellcheck source=tools/installers/_sge.sh
. "$(dirname "${BASH_SOURCE[0]}")/_sge.sh"
if ! marked; then
    echo "sge_down.sh: sge_up.sh has not set up a Grid Engine here: nothing to stop ($C/set_up_by_zspex is not there)" >&2
    exit 1
fi
qdel -u '*' >/dev/null 2>&1
sleep 1
if daemon=$(execd_pid_file); then stop "$daemon" sge_execd; fi
stop $S/qmaster/qmaster.pid sge_qmaster
