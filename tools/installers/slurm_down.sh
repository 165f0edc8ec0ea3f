#!/usr/bin/env bash
# Stop what slurm_up.sh started, each daemon by the pid in its pid file, and nothing else.
#
#   tools/installers/slurm_down.sh [--wipe]      --wipe also forgets all jobs
set -uo pipefail
# shellcheck source=tools/installers/_slurm.sh
. "$(dirname "${BASH_SOURCE[0]}")/_slurm.sh"
refuse_others_folder slurm_down.sh
export SLURM_CONF=$D/etc/slurm.conf
# cancel jobs first, so that no slurmstepd or job outlives the daemons
if alive "$D/run/slurmctld.pid" slurmctld; then
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
