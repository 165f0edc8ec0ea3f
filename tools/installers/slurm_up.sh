#!/usr/bin/env bash
# Bring up a Slurm cluster on this one machine, to try recipes on; tools/installers/slurm_down.sh stops it. On
# 127.0.0.1 only, as root, with apt-get, without systemd, cgroups or an accounting database. Run again, it starts only
# what is not running.
#
#   tools/installers/slurm_up.sh
#
#   SLURM_DIR    where everything lives           (default /var/lib/zspex-slurm); root's, and of no other's writing
#   SLURM_NODES  how many virtual nodes           (default 2)
#   SLURM_CPUS   CPUs that each node claims       (default 2; may exceed the real ones)
#   SLURM_GPUS   pretend GPUs per node (0 = none) (default 0)
#   SLURM_PORT   first TCP port of SLURM_NODES+1  (default 16817)
# afterwards:  . $SLURM_DIR/env.sh   (exports SLURM_CONF; not needed if
#              /etc/slurm/slurm.conf did not exist: it is then linked)
set -euo pipefail

((EUID == 0)) || {
    echo "slurm_up.sh: only root can start a cluster" >&2
    exit 1
}
command -v apt-get >/dev/null || {
    echo "slurm_up.sh: no apt-get here, which installs Slurm" >&2
    exit 1
}
# shellcheck source=tools/installers/_slurm.sh
. "$(dirname "${BASH_SOURCE[0]}")/_slurm.sh"
NODES=${SLURM_NODES:-2} CPUS=${SLURM_CPUS:-2} GPUS=${SLURM_GPUS:-0} PORT=${SLURM_PORT:-16817}

umask 022
mkdir -p "$D"
refuse_others_folder slurm_up.sh
if ! alive "$D/run/slurmctld.pid" slurmctld && (exec 3<>"/dev/tcp/127.0.0.1/$PORT") 2>/dev/null; then
  if former_runs; then
    echo "slurm_up.sh: a cluster of an earlier version runs: end it, SLURM_DIR=$FORMER tools/installers/slurm_down.sh" >&2
  else
    echo "slurm_up.sh: something listens on port $PORT: set SLURM_PORT to another" >&2
  fi
  exit 1
fi

# --- packages (about 4 MB, 5 s) --------------------------------------------------
need=()
for p in munge slurmctld slurmd slurm-client; do
  dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || need+=("$p")
done
if ((${#need[@]})); then
  export DEBIAN_FRONTEND=noninteractive
  apt-get -o DPkg::Lock::Timeout=120 update -qq
  apt-get -o DPkg::Lock::Timeout=120 install -y -qq --no-install-recommends "${need[@]}" >/dev/null
fi

H=$(hostname -s)
# the daemons look their own host name up
getent hosts "$H" >/dev/null || echo "127.0.0.1 $H" >> /etc/hosts
mkdir -p "$D"/{etc,state,spool,log,run,munge}
# munged insists that its key, seed, log and socket folders are its user's own and not
# group/world writable (a sticky /tmp above them is fine)
chown root:root "$D"/munge; chmod 0755 "$D" "$D"/munge

# --- munge, as root, with a key, socket and logs of its own -----------------------
if [ ! -s "$D/munge/munge.key" ]; then
  (umask 077; head -c 1024 /dev/urandom > "$D/munge/munge.key")
fi
chmod 0400 "$D/munge/munge.key"
if ! alive "$D/munge/munged.pid" munged; then
  rm -f "$D"/munge/munge.socket*
  munged --key-file="$D/munge/munge.key" --socket="$D/munge/munge.socket" \
         --pid-file="$D/munge/munged.pid" --log-file="$D/munge/munged.log" \
         --seed-file="$D/munge/munged.seed" --num-threads=2
fi

# --- slurm.conf -------------------------------------------------------------------
conf=$D/etc/slurm.conf
{
cat <<CONF
ClusterName=local
SlurmctldHost=$H(127.0.0.1)
SlurmctldPort=$PORT
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=$D/munge/munge.socket,cred_expire=5
# listen on the configured addresses (127.0.0.1) only
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation=$D/state
SlurmdSpoolDir=$D/spool/%n
SlurmctldPidFile=$D/run/slurmctld.pid
SlurmdPidFile=$D/run/slurmd.%n.pid
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdLogFile=$D/log/slurmd.%n.log
SlurmctldDebug=info
SlurmdDebug=info
# no cgroups, no affinity, no accounting DB
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
# one text line for each finished job: state, exit code, times (read with
# "sacct -c" or directly)
JobCompType=jobcomp/filetxt
JobCompLoc=$D/log/jobcomp.txt
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
# react at once rather than batching: tests wait on this
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0,bf_interval=2
PriorityType=priority/basic
JobRequeue=1
ReturnToService=1
MinJobAge=3600
MaxJobCount=10000
KillWait=2
InactiveLimit=0
SlurmctldTimeout=30
SlurmdTimeout=20
TCPTimeout=5
# virtual nodes may claim more CPUs than the host has
SlurmdParameters=config_overrides
MailProg=/bin/true
CONF
if ((GPUS)); then
  echo "GresTypes=gpu"
  g=" Gres=gpu:$GPUS"
else g=""; fi
for ((i = 1; i <= NODES; i++)); do
  echo "NodeName=n$i NodeHostname=$H NodeAddr=127.0.0.1 Port=$((PORT + i)) CPUs=$CPUS Boards=1 SocketsPerBoard=1 CoresPerSocket=$CPUS ThreadsPerCore=1 RealMemory=4000$g State=UNKNOWN"
done
echo "PartitionName=debug Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=60 State=UP OverSubscribe=NO"
} > "$conf.new"
{
  for ((i = 1; i <= NODES && GPUS; i++)); do
    for ((k = 0; k < GPUS; k++)); do
      # slurmd wants a character device: a second /dev/null
      [ -c "$D/run/n$i-gpu$k" ] || mknod "$D/run/n$i-gpu$k" c 1 3
      echo "NodeName=n$i Name=gpu File=$D/run/n$i-gpu$k Flags=nvidia_gpu_env"
    done
  done
} > "$D/etc/gres.conf"
printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' > "$D/etc/cgroup.conf"   # read, never used
if [ -e "$conf" ] && ! cmp -s "$conf" "$conf.new" && alive "$D/run/slurmctld.pid" slurmctld; then
  echo "slurm_up: $conf would change while the cluster runs: run slurm_down.sh first" >&2
  exit 1
fi
mv "$conf.new" "$conf"
mkdir -p /etc/slurm
# a link to the former place leads nowhere, or where any user may make that folder
[ "$(readlink /etc/slurm/slurm.conf)" != $FORMER/etc/slurm.conf ] || former_runs || rm /etc/slurm/slurm.conf
[ -e /etc/slurm/slurm.conf ] || ln -sfn "$conf" /etc/slurm/slurm.conf
export SLURM_CONF=$conf
echo "export SLURM_CONF=$conf" > "$D/env.sh"

# --- daemons (each puts itself in the background and writes its pid) ---------------
alive "$D/run/slurmctld.pid" slurmctld || slurmctld -f "$conf"
for ((i = 1; i <= NODES; i++)); do
  mkdir -p "$D/spool/n$i"
  alive "$D/run/slurmd.n$i.pid" slurmd || slurmd -f "$conf" -N "n$i"
done

# --- wait until every node is idle (or busy with jobs from an earlier run) ----------
t=0; begin=$SECONDS
while ((SECONDS < begin + 60)) &&
      { ((SECONDS < begin + 5)) || alive "$D/run/slurmctld.pid" slurmctld; }; do
  up=$(sinfo -h -N -o %T 2>/dev/null | grep -cE '^(idle|mixed|allocated|completing)$' || true)
  [ "$up" = "$NODES" ] && { sinfo; exit 0; }
  # a node left DOWN (by an earlier kill, or a reboot) comes back here
  ((++t % 20 == 0)) && for n in $(sinfo -h -N -t down,drain,fail -o %N 2>/dev/null); do
    scontrol update NodeName="$n" State=RESUME 2>/dev/null || true
  done
  sleep 0.1
done
echo "slurm_up: not all of the $NODES nodes came up" >&2
sinfo -N >&2 || true
tail -n 20 "$D"/log/slurmctld.log "$D"/log/slurmd.*.log "$D"/munge/munged.log >&2 || true
exit 1
