#!/usr/bin/env bash
# Stop what sge_up.sh started, each daemon by the pid in its pid file, and nothing else; its jobs are deleted.
#
#   tools/installers/sge_down.sh
export SGE_ROOT=/var/lib/gridengine SGE_CELL=default; S=/var/spool/gridengine
qdel -u '*' >/dev/null 2>&1; sleep 1
running() { [ "$(cat "/proc/$1/comm" 2>/dev/null)" = "$2" ] && ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status" 2>/dev/null; }
for x in $S/execd/localhost/execd.pid:sge_execd $S/qmaster/qmaster.pid:sge_qmaster; do
  p=$(cat "${x%%:*}" 2>/dev/null) || continue; running "$p" "${x##*:}" || continue
  kill -TERM "$p"; for ((t = 0; t < 100; t++)); do running "$p" "${x##*:}" || break; sleep 0.1; done
  running "$p" "${x##*:}" && kill -KILL "$p"
done; exit 0
