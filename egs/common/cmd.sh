# shellcheck shell=bash
# How jobs are run. To be sourced; sets train_cmd (many processors) and cuda_cmd (GPUs).
#
# Set cmd_backend here, in the environment or by --cmd_backend to the name of a file of zspex_toolkit/launch/backends.
# A site with its own queue.pl or slurm.pl writes its name instead:  train_cmd="queue.pl --mem 4G"
cmd_backend=${cmd_backend:-local}

_backends=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../zspex_toolkit/launch/backends" && pwd)
if [[ ! -f $_backends/$cmd_backend.py || $cmd_backend == _* ]]; then
    echo "cmd.sh: unknown cmd_backend '$cmd_backend'; known are: $(cd "$_backends" && echo [a-z]*.py | sed 's/\.py//g')" >&2
    return 1
fi
export train_cmd="python -m zspex_toolkit.bin.run_jobs --backend $cmd_backend"
export cuda_cmd=$train_cmd
