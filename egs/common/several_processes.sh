#!/usr/bin/env bash
# Run a training on several processes through torchrun: of this machine, or of every node of the Slurm job around it.
#
#   several_processes.sh NODES PROCESSES MODULE OPTION...      PROCESSES of each node
#
# Ends with 75, which torchrun cannot, if the training was stopped from outside and saved: the same command goes on.
set -euo pipefail

die() {
    echo "several_processes.sh: $*" >&2
    exit 1
}

[[ $# -ge 3 && $1 =~ ^[1-9][0-9]*$ && $2 =~ ^[1-9][0-9]*$ ]] ||
    die "expected NODES PROCESSES MODULE OPTION..., two numbers of 1 or more first, got: $*"
nodes=$1 processes=$2
shift 2
export PET_SIGNALS_TO_HANDLE=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 # which torchrun passes on to its processes
threads=${OMP_NUM_THREADS:-1}
export OMP_NUM_THREADS=$((threads > processes ? threads / processes : 1)) # of each
ZSPEX_START=$(date +%s%N)-$$-$RANDOM # what the mark of a training that this start stops will say
export ZSPEX_START
trap : INT TERM HUP USR1 # a training that saves is waited for

# Whether something listens at the leader's port.
is_taken() { timeout 2 bash -c ": </dev/tcp/$leader/$port" 2>/dev/null; }

torchrun=(python -m zspex_toolkit.launch.torchrun --nnodes "$nodes" --nproc_per_node "$processes")
if ((nodes == 1)); then
    start=("${torchrun[@]}" --standalone)
else
    [[ -n ${SLURM_JOB_NODELIST-} ]] || die "expected to be part of a Slurm job of $nodes nodes, found no SLURM_JOB_NODELIST"
    for program in scontrol srun timeout; do
        command -v "$program" >/dev/null || die "$program: no such program; the nodes of a training are reached through Slurm"
    done
    listed=$(scontrol show hostnames "$SLURM_JOB_NODELIST") || die "scontrol cannot tell the nodes of $SLURM_JOB_NODELIST"
    mapfile -t names <<<"$listed"
    ((${#names[@]} == nodes)) || die "expected a Slurm job of $nodes nodes, found ${#names[@]}: ${names[*]}"
    # The first node of the list leads. Two jobs, or a job and what is left of it from before a restart, do not meet.
    leader=$(scontrol show node --oneliner "${names[0]}" | sed -nE 's/.* NodeAddr=([^ ]*).*/\1/p' || true)
    leader=${leader:-${names[0]}}
    port=$((10000 + (SLURM_JOB_ID + 4999 * ${SLURM_RESTART_COUNT:-0}) % 20000))
    for ((try = 1; try < 20; try++)); do
        is_taken || break
        port=$((10000 + (port - 10000 + 7001) % 20000))
    done
    torchrun+=(--rdzv_id "$SLURM_JOB_ID" --master_addr "$leader" --master_port "$port")
    if [[ -n ${SLURM_CPUS_PER_TASK-} ]]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi # not handed on by itself
    # Our whole environment: after "sbatch --export=PATH", srun by itself would hand on no more than PATH, too.
    # shellcheck disable=SC2016  # the task's own number
    start=(srun --export=ALL --nodes "$nodes" --ntasks "$nodes" --ntasks-per-node 1 --kill-on-bad-exit=1
        bash -c '"${@:2:$1}" --node_rank "$SLURM_NODEID" "${@:$1+2}"' start "${#torchrun[@]}" "${torchrun[@]}")
fi

# The folder of the training; one that trains several networks has a folder for each, with names that go on from it.
exp_dir=
for ((word = 1; word <= $#; word++)); do
    next=$((word + 1))
    case ${!word} in
        --exp_dir) exp_dir=${!next-} ;;
        --exp_dir=*) exp_dir=${!word#*=} ;;
    esac
done

status=0
"${start[@]}" -m "$@" || status=$?
if ((status != 0)); then
    if [[ -n $exp_dir ]] && grep -qsF "\"$ZSPEX_START\"" "$exp_dir/stopped" "$exp_dir"_*/stopped; then
        status=75
        echo "several_processes.sh: the training was stopped and has saved; the same command goes on with it" >&2
    elif ((nodes > 1)); then
        echo "several_processes.sh: the training on the nodes ${names[*]}, which meet at $leader, port $port, ended with status" \
            "$status; what is said first above tells why, and where nothing is, a node did not start or reach the first" >&2
    fi
fi
exit "$status"
