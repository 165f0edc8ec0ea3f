# shellcheck shell=bash
# How jobs are run. To be sourced; sets train_cmd (many processors) and cuda_cmd (GPUs).
#
# Set cmd_backend here, in the environment or by --cmd_backend to the name of a file of zspex_toolkit/launch/backends.
# A site's conf/slurm.conf or conf/queue.conf in the work folder tells how jobs are submitted, as with Kaldi.
# A site with its own queue.pl or slurm.pl gives that instead, in the environment or here:  train_cmd="queue.pl --mem 4G"
cmd_backend=${cmd_backend:-local}

_backends=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../zspex_toolkit/launch/backends" && pwd)
if [[ ! -f $_backends/$cmd_backend.py || $cmd_backend == _* ]]; then
    echo "cmd.sh: unknown cmd_backend '$cmd_backend'; known are: $(cd "$_backends" && echo [a-z]*.py | sed 's/\.py//g')" >&2
    return 1
fi
_ours="python -m zspex_toolkit.bin.run_jobs --backend $cmd_backend"
if [[ $cmd_backend != local ]]; then train_cmd=$_ours cuda_cmd=$_ours; fi # asked for by name
export train_cmd=${train_cmd:-$_ours}
export cuda_cmd=${cuda_cmd:-$train_cmd}
