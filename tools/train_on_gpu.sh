#!/usr/bin/env bash
# Use a GPU that is there for a few minutes: check that all computes on it, measure it, and train on it by the clock.
#
#   tools/train_on_gpu.sh --out DIR [--data pack.tar --settings conf/band_split_gpu.yaml] [--total_seconds 540] ...
#
# What it expects: a copy of this tree, Linux with bash, coreutils and tar, and a Python 3.10 or newer. Best one that has
# torch with CUDA; missing packages are installed from --wheels or, where it can be reached, from pip's index. Nothing
# else is fetched. The data come packed, by zspex pack_training. Whatever fails, the stages after it are run.
# Status: 0 if all went well, 1 if a check failed or was cut off, 2 if the training failed, 3 if nothing could be run,
# 75 if the training needs more time: started again with the same --work_dir and --minutes it goes on.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=egs/common/stages.sh
. "$root/egs/common/stages.sh"

# Options
out=                                            # folder for what comes back: log, weights in half precision, history, benchmark
total_seconds=540                               # all of it ends within this time
device=cuda                                     # cuda, or cpu to try the script
checks=true                                     # run the tests marked gpu ...
check_seconds=120                               # ... for so long at most
benchmark=true                                  # measure training and extraction, in single and half precision, then compiled ...
benchmark_seconds=60                            # ... for so long at most, each
benchmark_args="--extractors band_split --fs 16000 --seconds 3 --batch_size 16 --num_rounds 1" # of what
data=                                           # tar of zspex pack_training, or the folder it was unpacked to (empty: no training)
settings=egs/many_voices/tse1/conf/band_split_gpu.yaml # file of settings of the training, also below the tree
init=                                           # weights to begin with
minutes=                                        # of the training, all its sittings together (empty: what is left of total_seconds)
train_args=                                     # further settings, such as "--train.batch_size 32"
work_dir=                                       # folder for data and experiment (empty: a temporary one)
wheels=                                         # folder of wheels of packages that may be missing
python=                                         # Python to use (empty: the first with torch and the device)
help_message=$(sed -n '2,12s/^# \{0,1\}//p; /^# Options$/,/^help_message/{/^[a-z_]*=/{s/^\([a-z_]*\)=/  --\1 /;/^  --help/!p}}' "${BASH_SOURCE[0]}")
parse_options "$@"
[[ $out ]] || die "--out: expected a folder for the results"
[[ $device == cuda || $device == cpu ]] || die "--device: expected cuda or cpu, got '$device'"
[[ -e $settings ]] || settings=$root/$settings
[[ -e $settings ]] || die "--settings: '$settings': no such file"
[[ -z $data || -e $data ]] || die "--data: '$data' does not exist"
[[ $minutes =~ ^[0-9]*\.?[0-9]*$ ]] || die "--minutes: expected a number, got '$minutes'"
mkdir -p "$out" && out=$(cd "$out" && pwd)
if [[ -z $work_dir ]]; then
    work_dir=$(mktemp -d)
    trap 'rm -rf "$work_dir"' EXIT
fi
mkdir -p "$work_dir" && work_dir=$(cd "$work_dir" && pwd)
for name in data settings init wheels; do [[ -z ${!name} ]] || printf -v "$name" '%s' "$(realpath "${!name}")"; done

# Everything said from here on is in the log, too.
exec > >(tee "$out/train_on_gpu.log") 2>&1

RESULTS_SECONDS=15 # for packing the results at the end
START_SECONDS=25   # of a training: imports and first data, before its clock begins
statuses=()

left() { echo $((total_seconds - SECONDS)); }

# run_for SECONDS NAME COMMAND...: run it so long at most, and less if all is to end before; note how it ended.
run_for() {
    local limit=$1 what=$2 status=0 begin=$SECONDS
    ((limit <= $(left) - RESULTS_SECONDS)) || limit=$(($(left) - RESULTS_SECONDS))
    if ((limit < 5)); then
        log "$what: no time left"
        statuses+=("$what no time")
        return 124
    fi
    log "$what: ${*:3} (within $limit s)"
    timeout --preserve-status --signal TERM --kill-after 10 "$limit" "${@:3}" || status=$?
    log "$what: status $status after $((SECONDS - begin)) s$( ((SECONDS - begin < limit)) || echo ", cut off")"
    statuses+=("$what $status")
    return "$status"
}

has_device() {
    "$1" -c "import sys, torch; sys.exit('$device' == 'cuda' and not torch.cuda.is_available())" 2>/dev/null
}

find_python() {
    local candidate
    for candidate in "$python" "$root/tools/venv/bin/python" python3 python /opt/*/bin/python3 /opt/*/.venv/bin/python3; do
        if [[ $candidate ]] && command -v "$candidate" >/dev/null && has_device "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

# Without a Python that has torch and sees the device: install torch for the newest that there is.
install_torch() {
    local base=${python:-python3}
    log "no Python here has torch with $device; trying to install it"
    "$base" -m venv "$work_dir/venv" || return 1
    run_for 240 "install torch" "$work_dir/venv/bin/python" -m pip install --quiet ${wheels:+--find-links "$wheels"} torch &&
        python=$work_dir/venv/bin/python && has_device "$python"
}

# Packages that the toolkit needs and this Python lacks, put where only this script sees them.
install_missing() {
    local packages
    packages=$("$python" "$root/tools/check_install.py" | sed -n 's/^missing: \([^ ]*\) .*/\1/p')
    [[ $checks == false ]] || "$python" -c 'import pytest, hypothesis' 2>/dev/null || packages+=" pytest hypothesis"
    [[ $packages ]] || return 0
    log "missing here: ${packages//$'\n'/ }"
    if [[ $wheels ]]; then
        packages=$(ls "$wheels"/*.whl)
    else # these and what they need, but nothing that is there already
        # shellcheck disable=SC2086  # words
        packages=$("$python" -m pip install --quiet --retries 1 --timeout 10 --dry-run --report - $packages | "$python" -c '
import json, sys
for one in json.load(sys.stdin)["install"]:
    print("{name}=={version}".format(**one["metadata"]))')
    fi
    # shellcheck disable=SC2086  # words
    [[ -z $packages ]] || run_for 90 "install packages" "$python" -m pip install --quiet --no-compile --no-deps \
        ${wheels:+--no-index} --retries 1 --timeout 10 --target "$work_dir/site" --upgrade $packages
    "$python" "$root/tools/check_install.py"
    "$python" -c 'import zspex_toolkit.tasks.extraction, zspex_toolkit.config' # all that a training needs
}

describe_machine() {
    log "machine: $(nproc) processors, $(awk '/MemTotal/ {printf "%d GiB", $2 / 2^20}' /proc/meminfo) of memory," \
        "$(df -h --output=avail /dev/shm 2>/dev/null | tail -n 1 | tr -d ' ') of shared memory"
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader 2>/dev/null
    "$python" -c 'import sys, torch; print("python", sys.version.split()[0], "torch", torch.__version__, "CUDA", torch.version.cuda)'
}

run_checks() {
    local selection=gpu
    [[ $device == cuda ]] || selection="gpu and not slow" # a CPU takes steps one by one: compiling them takes minutes
    run_for "$check_seconds" checks env ZSPEX_TEST_DEVICE="$device" "$python" -m pytest -m "$selection" -p no:cacheprovider -q \
        --durations 5 "$root/test/gpu"
}

run_benchmark() {
    local modes all=("eager,bf16" compile_bf16) failed=0
    [[ $device == cuda ]] || all=(eager)
    for modes in "${all[@]}"; do
        # shellcheck disable=SC2086  # words
        run_for "$benchmark_seconds" "benchmark, $modes" "$python" -m zspex_toolkit.bin.zspex benchmark \
            --out "$work_dir/benchmark_$modes" --devices "${device/cuda/cuda:0}" --modes "$modes" $benchmark_args ||
            failed=1
    done
    cat "$work_dir"/benchmark_*/benchmark.md >"$out/benchmark.md" 2>/dev/null
    return "$failed"
}

# How many processes make data: as many as there are processors besides two, and as shared memory has room for.
num_workers() {
    local room most
    room=$(($(df --output=avail -k /dev/shm 2>/dev/null | tail -n 1) / (400 * 1024))) # two batches of 200 MiB for each
    most=$(($(nproc) - 2))
    ((room >= most)) || most=$room
    echo $((most > 0 ? most : 0))
}

# Each data process would decode all utterances, which takes longer than what it does with them: do it once, to wavs.
decode_audio() {
    local fs
    fs=$(sed -n 's/^fs: *\([0-9]*\).*/\1/p' "$settings")
    [[ $fs ]] || return 1
    [[ ! -d $work_dir/train_wav ]] || return 0
    run_for 60 "decode audio" "$python" -m zspex_toolkit.bin.resample_data_dir --data train --out "$work_dir/train_wav" \
        --dump "$work_dir/dump" --fs "$fs" --nj "$(nproc)"
}

run_training() {
    local pack=$work_dir/data train=train name seconds words=() limit
    if [[ -d $data ]]; then
        pack=$data
    elif [[ ! -d $pack ]]; then
        mkdir "$pack.part" && tar -xf "$data" -C "$pack.part" && mv "$pack.part" "$pack" || return 1
    fi
    cd "$pack" || return 1
    [[ ! -d valid ]] || words+=(--valid_data valid)
    for name in room noise; do [[ ! -d ${name/room/rooms} ]] || words+=("--draw.${name}_dir" "${name/room/rooms}"); done
    [[ -z $init ]] || words+=(--init_weights "$init")
    decode_audio && train=$work_dir/train_wav
    limit=$(($(left) - RESULTS_SECONDS))
    seconds=$((limit - START_SECONDS - 10))
    if [[ -z $minutes ]]; then minutes=$(awk -v s="$seconds" 'BEGIN {printf "%.3f", s < 6 ? 0.1 : s / 60}'); fi
    # shellcheck disable=SC2086  # words
    run_for "$limit" training "$python" -m zspex_toolkit.bin.train_extractor --config "$settings" --device "$device" \
        --exp_dir "$work_dir/exp" --draw.source_data "$train" "${words[@]}" --train.minutes "$minutes" \
        --train.num_workers "$(num_workers)" $train_args
}

# Best and last weights in half precision, or those of the newest checkpoint: `zspex extract --model OUT` takes them.
keep_results() {
    local name
    for name in model.yaml config.yaml history.jsonl train.log; do
        [[ ! -e $work_dir/exp/$name ]] || cp "$work_dir/exp/$name" "$out/"
    done
    "$python" - "$work_dir/exp" "$out" <<'EOP'
import sys
from pathlib import Path

import safetensors.torch

from zspex_toolkit.extract.packed_model import packed
from zspex_toolkit.train.average import averaged
from zspex_toolkit.train.checkpoint import Checkpoints, save_weights

exp_dir, out = map(Path, sys.argv[1:])
found = {path.stem: safetensors.torch.load_file(path) for path in exp_dir.glob("*.safetensors")}
if not found and (newest := Checkpoints(exp_dir / "checkpoints", 2).load_newest(print)):
    found = {"last": averaged(newest[0])}
for name, weights in found.items():
    save_weights(packed(weights, "float16"), out / f"{name}.safetensors")
print("weights:", ", ".join(sorted(found)) or "none")
EOP
}

export PYTHONPATH=$root:$work_dir/site${PYTHONPATH:+:$PYTHONPATH} PYTHONUNBUFFERED=1 OMP_NUM_THREADS=${OMP_NUM_THREADS:-2}
found=$(find_python) && python=$found || install_torch || {
    log "no Python with torch that sees a device '$device': nothing can be run"
    exit 3
}
install_missing || {
    log "packages are missing, see above (--wheels DIR brings them): nothing can be run"
    exit 3
}
describe_machine
cd "$root" || exit 3
status=0
if [[ $checks == true ]]; then run_checks || status=1; fi
if [[ $benchmark == true ]]; then run_benchmark || status=1; fi
if [[ $data ]]; then
    run_training
    trained=$?
    [[ $trained == 0 ]] || status=2
    keep_results || status=2
    [[ $trained != 75 ]] || status=75
fi
log "all in $SECONDS s, status $status:$(printf ' %s;' "${statuses[@]}")"
exit "$status"
