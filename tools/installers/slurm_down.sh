#!/usr/bin/env bash
# Stop what slurm_up.sh started, each daemon by the pid in its pid file, and nothing else.
#
#   tools/installers/slurm_down.sh [--wipe]      --wipe also forgets all jobs
set -uo pipefail
D=${SLURM_DIR:-/tmp/slurm-local}
export SLURM_CONF=$D/etc/slurm.conf
# the pid must still be that daemon, and not a zombie that pid 1 has yet to reap
running() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status" 2>/dev/null; }
stop() {  # pid-file command-name
  local p
  [ -s "$1" ] || return 0
  p=$(cat "$1")
  if running "$p" "$2"; then
    kill -TERM "$p" 2>/dev/null
    for ((t = 0; t < 150; t++)); do running "$p" "$2" || break; sleep 0.1; done
    running "$p" "$2" && kill -KILL "$p" 2>/dev/null
  fi
  rm -f "$1"
}
# cancel jobs first, so that no slurmstepd or job outlives the daemons
if [ -s "$D/run/slurmctld.pid" ] && running "$(cat "$D/run/slurmctld.pid")" slurmctld; then
  ids=$(squeue -h -o %A 2>/dev/null | sort -u)
  if [ -n "$ids" ]; then
    # shellcheck disable=SC2086  # several
    scancel $ids 2>/dev/null
    for ((t = 0; t < 100; t++)); do [ -z "$(squeue -h 2>/dev/null)" ] && break; sleep 0.1; done
  fi
fi
for f in "$D"/run/slurmd.*.pid; do stop "$f" slurmd; done
stop "$D/run/slurmctld.pid" slurmctld
stop "$D/munge/munged.pid" munged
if [ "${1:-}" = --wipe ]; then
  [ "$(readlink /etc/slurm/slurm.conf 2>/dev/null)" = "$D/etc/slurm.conf" ] && rm -f /etc/slurm/slurm.conf
  rm -rf "$D"
fi
exit 0
