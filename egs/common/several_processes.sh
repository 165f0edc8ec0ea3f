#!/usr/bin/env bash
# Run a training on several processes through torchrun: of this machine, or of every node of the Slurm job around it.
#
#   several_processes.sh NODES PROCESSES MODULE OPTION...      PROCESSES of each node
#
# Ends with 75, which torchrun cannot, if the training was stopped from outside and saved: the same command goes on.
set -euo pipefail

nodes=$1 processes=$2
shift 2
export PET_SIGNALS_TO_HANDLE=SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1 # which torchrun passes on to its processes
threads=${OMP_NUM_THREADS:-1}
export OMP_NUM_THREADS=$((threads > processes ? threads / processes : 1)) # of each
trap : INT TERM HUP USR1                                                  # a training that saves is waited for

torchrun=(python -m torch.distributed.run --nnodes "$nodes" --nproc_per_node "$processes")
if ((nodes == 1)); then
    start=("${torchrun[@]}" --standalone)
else
    [[ -n ${SLURM_JOB_NODELIST-} ]] || {
        echo "several_processes.sh: expected to be part of a Slurm job of $nodes nodes, found no SLURM_JOB_NODELIST" >&2
        exit 1
    }
    # The first node of the list leads. Two jobs, or a job and what is left of it from before a restart, do not meet.
    mapfile -t names < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
    leader=$(scontrol show node --oneliner "${names[0]}" | grep -o ' NodeAddr=[^ ]*')
    port=$((10000 + (SLURM_JOB_ID + 4999 * ${SLURM_RESTART_COUNT:-0}) % 20000))
    torchrun+=(--rdzv_id "$SLURM_JOB_ID" --master_addr "${leader#*=}" --master_port "$port")
    if [[ -n ${SLURM_CPUS_PER_TASK-} ]]; then export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK; fi # not handed on by itself
    # shellcheck disable=SC2016  # the task's own number
    start=(srun --nodes "$nodes" --ntasks "$nodes" --ntasks-per-node 1 --kill-on-bad-exit=1
        bash -c '"${@:2:$1}" --node_rank "$SLURM_NODEID" "${@:$1+2}"' start "${#torchrun[@]}" "${torchrun[@]}")
fi

# The marks of stopped trainings; of one that trains several networks each has its own.
for ((word = 1; word < $#; word++)); do
    if [[ ${!word} == --exp_dir ]]; then
        next=$((word + 1))
        exp_dir=${!next}
    fi
done
marks() { stat --format '%n %i %y' "$exp_dir/stopped" "$exp_dir"_*/stopped 2>/dev/null || true; }

before=$(marks)
status=0
"${start[@]}" -m "$@" || status=$?
after=$(marks)
if ((status != 0)) && [[ -n $after && $after != "$before" ]]; then status=75; fi
exit "$status"
