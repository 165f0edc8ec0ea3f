#!/usr/bin/env bash
# Speech recognition: the stages of every egs/<corpus>/asr1/run.sh, which calls this with its facts.
set -euo pipefail

COMMON=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=end_together.sh
. "$COMMON/end_together.sh"
# shellcheck source-path=SCRIPTDIR source=stages.sh
. "$COMMON/stages.sh"
# shellcheck source-path=SCRIPTDIR source=recipe.sh
. "$COMMON/recipe.sh"

# Options
stage=1                                     # first stage to run
stop_stage=5                                # last stage to run
force=false                                 # run stages that were done before, too; trains anew
nj=                                         # number of parallel jobs; here also of processes (empty: number of processors)
ngpu=                                       # GPUs for the training, on each node (empty: 1 if this machine has one)
num_nodes=1                                 # nodes for the training, as one job of Slurm
num_processes=                              # processes of the training on each node (empty: one for each GPU, else one)
num_threads=                                # threads of the training; on a cluster processors of any job (empty: all, 4 at most)
cmd_backend=${cmd_backend:-local}           # how jobs are run: a file name of zspex_toolkit/launch/backends
recipe_dir=.                                # folder with conf/
work_dir=                                   # folder for data/ and exp/ (empty: recipe_dir)
corpus=                                     # name of the corpus: a file name of zspex_toolkit/corpora
corpus_dir=                                 # folder of the corpus (empty: the variable named like it)
corpus_options=                             # of its preparation, such as "{num_speakers: 40}"
fs=16000                                    # rate of the corpus and the recogniser in Hz
test_speakers=0                             # speakers that are held out of data/all for the set test; 0: the corpus has test sets
dev_speakers=0                              # speakers that are held out of the training sets for validation; 0: the corpus has a set dev
train_sets=all                              # what to train on, of the sets that the corpus's preparation writes
dev_set=dev                                 # what to validate on, if dev_speakers is 0
test_sets="test"                            # what to recognise and score
token_kind=unigram                          # tokens: unigram, bpe or char
vocabulary=500                              # tokens at most
seed=0                                      # of the splits and the training
train_config=conf/train_recogniser.yaml     # settings of the training
train_args=                                 # options for the training, such as "--train.num_epochs 3"
decode_args=                                # options for the search of words, such as "--decode.beam 1"
exp_tag=                                    # experiment is exp/asr_<tag> (empty: made from train_args; exp/asr)
results_dir=                                # folder of RESULTS.md and results.json (empty: the experiment)
# End of options

help_message="Usage: run.sh [--option value ...]
$(options_help "${BASH_SOURCE[0]}")"
parse_options "$@"

enter_work_dir train_config
# shellcheck source-path=SCRIPTDIR source=path.sh
. "$COMMON/path.sh"
# shellcheck source-path=SCRIPTDIR source=cmd.sh
. "$COMMON/cmd.sh"

set_machine
default_tag=$(tag_of "$train_args")
tag=${exp_tag:-$default_tag}
exp=exp/asr${tag:+_$tag}
read -ra train_words <<<"$train_args"
read -ra decode_words <<<"$decode_args"
read -ra train_list <<<"$train_sets"
read -ra test_list <<<"$test_sets"
recogniser=$exp/recogniser/last.safetensors tokens=$exp/tokens.model
test_dirs=("${test_list[@]/#/data/}") scores=("${test_list[@]/#/$exp/recognised/}")
texts=("${scores[@]/%//text}")
scores=("${scores[@]/%//score/wer.json}")
if ((dev_speakers > 0)); then dev_set=dev; fi

# Speakers of data/$1 that are set apart as data/$2; the others become data/$3.
hold_out() {
    toolkit hold_out_speakers --data "data/$1" --test "data/$2" --train "data/$3" --num_speakers "$4" --seed "$seed"
}

# bash reads a file as it runs; in braces all is read at once, so that this file may change meanwhile.
{
    marks=data/stages # shared by all experiments
    if in_stage 1 "Data: prepare and split" for "$corpus $corpus_dir $corpus_options $fs $train_sets $dev_set $test_sets" \
        "$test_speakers $dev_speakers $seed" makes data/train/text "data/$dev_set/text" "${test_dirs[@]/%//text}"; then
        toolkit prepare_data --corpus "$corpus" --corpus_dir "$corpus_dir" --out data --fs "$fs" \
            --options "${corpus_options:-{\}}"
        source=${train_list[0]}
        if ((${#train_list[@]} > 1)); then
            source=all_train
            toolkit combine_data_dirs --data "$(IFS=, && echo "${train_list[*]/#/data/}")" --out "data/$source"
        fi
        if ((test_speakers > 0)); then hold_out "$source" test not_test "$test_speakers" && source=not_test; fi
        if ((dev_speakers > 0)); then
            hold_out "$source" dev train "$dev_speakers"
        elif [[ $source != train ]]; then
            toolkit copy_data_dir --data "data/$source" --out data/train
        fi
        for dir in data/train "data/$dev_set" "${test_dirs[@]}"; do
            toolkit validate_data_dir --data "$dir" --require wav.scp,text --check_audio true --fs "$fs" --nj "$nj"
        done
    fi

    marks=$exp/stages
    if in_stage 2 "Tokens" for data/train/text "$token_kind $vocabulary" makes "$tokens"; then
        toolkit train_tokens --data data/train --out "$tokens" --kind "$token_kind" --vocabulary "$vocabulary"
    fi

    if in_stage 3 "Train the recogniser" for data/train/wav.scp data/train/text "data/$dev_set/text" "$tokens" \
        "$train_config" "$train_args $seed" makes "$recogniser"; then
        set_aside_unless_resumed "$exp/recogniser"
        train_alone recogniser recogniser --config "$train_config" --data data/train --valid_data "data/$dev_set" \
            --tokens "$tokens" --fs "$fs" "${train_words[@]}"
    fi

    if in_stage 4 "Recognise and score" for "${test_dirs[@]/%//wav.scp}" "${test_dirs[@]/%//text}" "$recogniser" \
        "$decode_args" makes "${texts[@]}" "${scores[@]}"; then
        each=$(threads_each ${#test_list[@]})
        run_array "$gpu_cmd --num_threads $each" recognise "$(
            for set in "${test_list[@]}"; do
                out=$exp/recognised/$set
                echo -n "export OMP_NUM_THREADS=$each; "
                line recognise --model "$exp/recogniser" --data "data/$set" --out "$out" --device "$device" "${decode_words[@]}"
                echo -n " && "
                line score_text --data "data/$set" --hypothesis "$out/text" --out "$out/score"
                echo
            done
        )"
    fi

    if in_stage 5 "Report" for "${scores[@]}" makes "${results_dir:-$exp}/RESULTS.md"; then
        toolkit report_recognition --exp "$exp" --out "${results_dir:-$exp}" --sets "${test_sets// /,}" --corpus "$corpus" \
            --command "$(shown_command asr1 "$@")"
        log "results: $PWD/${results_dir:-$exp}/RESULTS.md"
    fi

    finish
    exit
}
