# shellcheck shell=bash
# How jobs are run. To be sourced; sets train_cmd (many processors) and cuda_cmd (GPUs).
#
# Set cmd_backend here, in the environment or by --cmd_backend to the name of a file of zspex_toolkit/launch/backends.
# A site's conf/slurm.conf or conf/queue.conf in the work folder tells how jobs are submitted, as with Kaldi.
# A site with its own queue.pl or slurm.pl gives that instead, in the environment or here:  train_cmd="queue.pl --mem 4G"
# Options for every job go the same way:  train_cmd="python -m zspex_toolkit.bin.run_jobs --backend slurm --mem 4G"
cmd_backend=${cmd_backend:-local}

_backends=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../zspex_toolkit/launch/backends" && pwd)
if [[ ! -f $_backends/$cmd_backend.py || $cmd_backend == _* ]]; then
    echo "cmd.sh: unknown cmd_backend '$cmd_backend'; known are: $(cd "$_backends" && echo [a-z]*.py | sed 's/\.py//g')" >&2
    return 1
fi
_ours="python -m zspex_toolkit.bin.run_jobs --backend $cmd_backend"
for _name in train_cmd cuda_cmd; do # given with options of their own, such as --mem, they win, but not over another back end
    if [[ $cmd_backend = local || -z ${!_name-} ]]; then continue; fi
    if [[ "${!_name} " != *"zspex_toolkit.bin.run_jobs "*"--backend $cmd_backend "* ]]; then
        echo "cmd.sh: cmd_backend is $cmd_backend, but $_name is '${!_name}': leave out one of them (--cmd_backend, or unset $_name)" >&2
        return 1
    fi
done
export train_cmd=${train_cmd:-$_ours}
export cuda_cmd=${cuda_cmd:-$train_cmd}
