# shellcheck shell=bash
# The environment of every recipe script and job. To be sourced. Sets up tools/venv where the toolkit is not importable.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

export LC_ALL=C PYTHONIOENCODING=utf-8 PYTHONUNBUFFERED=1
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export OMP_WAIT_POLICY=${OMP_WAIT_POLICY:-PASSIVE} # waiting threads would take the processors of other processes
# Training on processors asks for the same large blocks in every step: keeping them spares a tenth of its time.
export MALLOC_MMAP_THRESHOLD_=${MALLOC_MMAP_THRESHOLD_:-8589934592} MALLOC_TRIM_THRESHOLD_=${MALLOC_TRIM_THRESHOLD_:-17179869184}
export MALLOC_TOP_PAD_=${MALLOC_TOP_PAD_:-268435456}
export PYTHONPATH=$ROOT${PYTHONPATH:+:$PYTHONPATH}

_needed="torch, jsonargparse, kaldiio, matplotlib, safetensors, scipy, soundfile, soxr, tensorboard, tqdm"
if [[ -d $ROOT/tools/venv ]] || ! python -c "import zspex_toolkit, $_needed" 2>/dev/null; then
    "$ROOT/tools/setup_venv.sh" || return 1
    # shellcheck source=/dev/null
    . "$ROOT/tools/venv/bin/activate"
fi
