#!/usr/bin/env bash
# Bring up Grid Engine (Debian's 8.1.9) on this one machine, to try recipes on; tools/installers/sge_down.sh stops it.
# As root, with apt-get, without systemd. Run again, it starts only what is not running. A Grid Engine that somebody else
# has set up here is left as it is.
#
#   tools/installers/sge_up.sh
set -euo pipefail

((EUID == 0)) || {
    echo "sge_up.sh: only root can start a cluster" >&2
    exit 1
}
command -v apt-get >/dev/null || {
    echo "sge_up.sh: no apt-get here, which installs Grid Engine" >&2
    exit 1
}
# shellcheck source=tools/installers/_sge.sh
. "$(dirname "${BASH_SOURCE[0]}")/_sge.sh"
if ! marked && why=$(taken); then
    echo "sge_up.sh: $why; it is left alone: use it as it is" >&2
    exit 1
fi
need=()
for p in gridengine-master gridengine-exec gridengine-client; do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || need+=("$p")
done
if ((${#need[@]})); then
    export DEBIAN_FRONTEND=noninteractive
    apt-get -o DPkg::Lock::Timeout=120 update -qq
    apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi
H=$(hostname -s)
if ! marked; then
    if [[ $(cat $C/act_qmaster 2>/dev/null) != localhost ]]; then # daemons that the package has started go by the host's own name
        if daemon=$(execd_pid_file); then stop "$daemon" sge_execd; fi
        stop $S/qmaster/qmaster.pid sge_qmaster
    fi
    echo "tools/installers/sge_up.sh set this cell up; sge_down.sh stops it." >$C/set_up_by_zspex
fi
# every name that resolves to 127.0.0.1 is this one host, called localhost
echo "localhost $(awk '$1=="127.0.0.1"{for(i=2;i<=NF;i++)print $i}' /etc/hosts | grep -v '^localhost$' | sort -u | tr '\n' ' ') $H" | tr -s ' ' > "$C"/host_aliases
echo localhost > "$C"/act_qmaster
install -d -o sgeadmin -g sgeadmin -m 755 /var/run/gridengine /var/spool/gridengine
alive $S/qmaster/qmaster.pid sge_qmaster || /usr/sbin/sge_qmaster
for ((t = 0; t < 100; t++)); do qconf -sm >/dev/null 2>&1 && break; sleep 0.1; done

T=$(mktemp -d)
printf 'hostname localhost\nload_scaling NONE\ncomplex_values NONE\nuser_lists NONE\nxuser_lists NONE\nprojects NONE\nxprojects NONE\nusage_scaling NONE\nreport_variables NONE\n' > "$T"/eh
qconf -sel 2>/dev/null | grep -qx localhost || qconf -Ae "$T"/eh
printf 'group_name @allhosts\nhostlist localhost\n' > "$T"/hg
qconf -shgrpl 2>/dev/null | grep -qx @allhosts || qconf -Ahgrp "$T"/hg
qconf -as localhost >/dev/null 2>&1 || true
# shellcheck disable=SC2016  # $pe_slots is Grid Engine's
qconf -spl 2>/dev/null | grep -qx smp || { printf 'pe_name smp\nslots 99\nuser_lists NONE\nxuser_lists NONE\nstart_proc_args /bin/true\nstop_proc_args /bin/true\nallocation_rule $pe_slots\ncontrol_slaves FALSE\njob_is_first_task TRUE\nurgency_slots min\naccounting_summary FALSE\nqsort_args NONE\n' > "$T"/pe; qconf -Ap "$T"/pe; }
if ! qconf -sql 2>/dev/null | grep -qx main.q; then
  qconf -sq > "$T"/q   # template
  sed -i 's/^qname .*/qname main.q/; s/^hostlist .*/hostlist @allhosts/; s/^slots .*/slots 2/; s/^pe_list .*/pe_list make smp/; s/^shell .*/shell \/bin\/bash/; s/^rerun .*/rerun TRUE/; s/^load_thresholds .*/load_thresholds NONE/' "$T"/q
  qconf -Aq "$T"/q
fi
# schedule every second, flush on submit and finish
qconf -ssconf > "$T"/s; sed -i 's/^schedule_interval .*/schedule_interval 0:0:1/; s/^flush_submit_sec .*/flush_submit_sec 1/; s/^flush_finish_sec .*/flush_finish_sec 1/; s/^job_load_adjustments .*/job_load_adjustments NONE/' "$T"/s; qconf -Msconf "$T"/s
# root may submit and run jobs; look at loads every 2 s
qconf -sconf global | grep -v "^#" > "$T"/global; sed -i "s/^min_uid .*/min_uid 0/; s/^min_gid .*/min_gid 0/; s/^load_report_time .*/load_report_time 00:00:02/; s/^max_unheard .*/max_unheard 00:00:20/; s/^execd_params .*/execd_params ENABLE_ADDGRP_KILL=TRUE/" "$T"/global; qconf -Mconf "$T"/global
rm -r "$T"
execd_pid_file >/dev/null || /usr/sbin/sge_execd
for ((t = 0; t < 200; t++)); do qstat -f 2>/dev/null | grep -qE '^main.q@localhost .*lx-amd64 *$' && { qstat -f; exit 0; }; sleep 0.1; done
echo "sge_up: the queue did not come up" >&2; qstat -f >&2; tail $S/qmaster/messages $S/execd/*/messages >&2; exit 1
