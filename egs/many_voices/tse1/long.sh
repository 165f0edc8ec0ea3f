#!/usr/bin/env bash
# A training of hours or days, in sittings: stopped (Ctrl-C, kill) it saves, started by the same command it goes on.
#   egs/many_voices/tse1/run.sh --train_data "..." --voices 2 --stop_stage 2      makes the data; then, in this folder
#   long.sh [--exp_dir exp/long] ...               trains
#   long.sh --cool exp/long_5h ...                 lets the learning rate fall, from what exp/long has learnt so far
# (--help lists all options)
set -euo pipefail

COMMON=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../common" && pwd)
# shellcheck source-path=SCRIPTDIR source=../../common/stages.sh
. "$COMMON/stages.sh"

# Options
exp_dir=exp/long             # folder of the training that has no end
cool=                        # folder of a training of one epoch whose rate falls, from the last weights of exp_dir (empty: train)
data=data/train              # data directory of the voices
valid_data=data/trials_dev   # trials of the validation
room_dir=                    # folder of room impulse responses
noise_dir=                   # folder of noise recordings
train_config=conf/long.yaml  # settings
cpu=                         # number of the processor to keep to, so that other work takes the others (empty: any)
train_args=                  # further options, such as "--draw.same_room true"
# End of options

help_message="Usage: long.sh [--option value ...]
$(options_help "${BASH_SOURCE[0]}")"
parse_options "$@"
[[ -f $train_config ]] || die "--train_config: no file '$train_config'"
# shellcheck source-path=SCRIPTDIR source=../../common/path.sh
. "$COMMON/path.sh"

out=$exp_dir fall=()
if [[ -n $cool ]]; then
    [[ -s $exp_dir/last.safetensors ]] || die "$exp_dir: no whole epoch yet, whose weights could be cooled down"
    mkdir -p "$cool"
    # What the training writes meanwhile must not change a cool-down that goes on after a stop.
    [[ -s $cool/begun_with.safetensors ]] || {
        cp "$exp_dir/last.safetensors" "$cool/begun_with.part"
        mv "$cool/begun_with.part" "$cool/begun_with.safetensors"
    }
    out=$cool
    fall=(--init_weights "$cool/begun_with.safetensors" --train.num_epochs 1 --train.decay_share 1
        --train.warmup_steps 0 --draw.speaker_epochs 0)
fi
folders=()
if [[ -n $room_dir ]]; then folders+=(--draw.room_dir "$room_dir"); fi
if [[ -n $noise_dir ]]; then folders+=(--draw.noise_dir "$noise_dir"); fi
read -ra words <<<"$train_args"
pin=()
if [[ -n $cpu ]]; then pin=(taskset -c "$cpu"); fi
exec "${pin[@]}" python -m zspex_toolkit.bin.train_extractor --config "$train_config" --exp_dir "$out" --draw.source_data "$data" \
    --valid_data "$valid_data" "${folders[@]}" "${fall[@]}" "${words[@]}"
