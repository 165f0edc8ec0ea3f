#!/usr/bin/env bash
# Speaker embedding de-mixing: the stages of every egs/<corpus>/demix1/run.sh, which calls this with its facts.
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
stop_stage=8                                # last stage to run
force=false                                 # run stages that were done before, too; trains anew
nj=                                         # number of parallel jobs; here also of processes (empty: number of processors)
ngpu=                                       # GPUs for each training, on each node (empty: 1 if this machine has one)
num_nodes=1                                 # nodes for each training, as one job of Slurm
num_processes=                              # processes of each training on each node (empty: one for each GPU, else one)
num_threads=                                # threads of a training that runs alone; on a cluster processors of any job (empty: all, 4 at most; those of C take one)
cmd_backend=${cmd_backend:-local}           # how jobs are run: a file name of zspex_toolkit/launch/backends
recipe_dir=.                                # folder with conf/
work_dir=                                   # folder for data/, dump/ and exp/ (empty: recipe_dir)
corpus=                                     # name of the corpus: a file name of zspex_toolkit/corpora
corpus_dir=                                 # folder of the corpus (empty: the variable named like it, such as TIMIT)
corpus_options=                             # of its preparation, such as "{num_speakers: 8}"
test_share=0.25                             # share of each speaker's utterances for testing, unless ...
test_per_speaker=                           # ... this many utterances of each speaker are
conditions="snr-5 snr0 snr5"                # mixtures: target over interferer in dB; or data sets that come mixed
train_conditions=                           # conditions to train networks for (empty: the same); snr_all: one for all
on_the_fly=false                            # train C on mixtures drawn anew in every epoch, as its config says
clean_set=                                  # with data sets that come mixed: name of the clean one, such as headset
givens="e2 e1"                              # which speaker is known: e2 (Table 2 of the paper), e1 (Table 3), or both
functions="subtract multiply concat1 concat2 share_concat separate_concat" # de-mixing functions
segments_per_utterance=10                   # random segments of each training utterance whose embeddings train B
seed=0                                      # of the split into train and test, the mixtures and the trainings
embedder_config=conf/train_embedder.yaml    # settings of network A
classifier_config=conf/train_classifier.yaml # settings of network B
train_config=conf/train_demixer.yaml        # settings of network C
train_args=                                 # options for every training, such as "--train.num_epochs 3"
embedder_args=                              # options for the training of A only
classifier_args=                            # options for the training of B only
demixer_args=                               # options for the training of C only
mfcc_config=conf/mfcc.conf                  # Kaldi's own format
vad_config=conf/vad.conf                    # Kaldi's own format
exp_tag=                                    # experiment is exp/demix_<tag> (empty: made from the *_args; exp/demix)
results_dir=                                # folder of RESULTS.md, results.json and figures (empty: the experiment)
# End of options

help_message="Usage: run.sh [--option value ...]
$(options_help "${BASH_SOURCE[0]}")"
parse_options "$@"

enter_work_dir embedder_config classifier_config train_config mfcc_config vad_config
# shellcheck source-path=SCRIPTDIR source=path.sh
. "$COMMON/path.sh"
# shellcheck source-path=SCRIPTDIR source=cmd.sh
. "$COMMON/cmd.sh"

set_machine
default_tag=$(tag_of "$train_args $embedder_args $classifier_args $demixer_args")
tag=${exp_tag:-$default_tag}
exp=exp/demix${tag:+_$tag}
train=data/${clean_set:+${clean_set}_}train test=data/${clean_set:+${clean_set}_}test

# The data directory of mixtures of one condition (snr0, array1) and set (train, test).
mixtures() { if [[ -z $clean_set ]]; then echo "data/mix_$2_$1"; else echo "data/$1_$2"; fi; }

# The data directories of mixtures of set $1 with commas: those of one condition, or of all if $2 is snr_all.
mixture_list() {
    local condition
    for condition in $([[ $2 = snr_all ]] && echo "$conditions" || echo "$2"); do mixtures "$condition" "$1"; done |
        paste -s -d ,
}

# Directions to score baselines in: a network trained for both is scored in either.
both_or() { if [[ $1 = both ]]; then echo e2,e1; else echo "${1// /,}"; fi; }

read -ra train_words <<<"$train_args"
read -ra embedder_words <<<"$embedder_args"
read -ra classifier_words <<<"$classifier_args"
read -ra demixer_words <<<"$demixer_args"
read -ra condition_list <<<"$conditions"
read -ra given_list <<<"$givens"
read -ra function_list <<<"$functions"
mixture_dirs=() demixers=() # folders
for condition in "${condition_list[@]}"; do
    mixture_dirs+=("$(mixtures "$condition" train)" "$(mixtures "$condition" test)")
done
for condition in ${train_conditions:=$conditions}; do
    for given in "${given_list[@]}"; do demixers+=("${function_list[@]/#/$exp/demix_${given}_${condition}_}"); done
done
clean_inputs=("$train/utt2spk" "$train/feats.scp" "$test/utt2spk" "$test/feats.scp" "$mfcc_config" "$vad_config")
embedder=$exp/embedder/last.safetensors classifier=$exp/classifier/last.safetensors
clean_speakers=$exp/xvectors/clean_speakers/spk_xvector.scp

# bash reads a file as it runs; in braces all is read at once, so that this file may change meanwhile.
{
    marks=data/stages # shared by all experiments
    if in_stage 1 "Data preparation" for "$corpus $corpus_dir $corpus_options $test_share $test_per_speaker $seed" \
        makes "$train/utt2spk" "$test/utt2spk"; then
        toolkit prepare_data --corpus "$corpus" --corpus_dir "$corpus_dir" --out data \
            --options "${corpus_options:-{\}}"
        if [[ -z $clean_set ]]; then
            how=(--test_share "$test_share")
            if [[ -n $test_per_speaker ]]; then how=(--test_per_speaker "$test_per_speaker"); fi
            toolkit split_speakers --data data/all --train "$train" --test "$test" "${how[@]}" --seed "$seed"
        fi
        rm -f {"$train","$test"}/{feats.scp,vad.scp,utt2num_frames} # of what was there before
    fi

    if in_stage 2 "Features" for "$train/wav.scp" "$train/utt2spk" "$test/wav.scp" "$test/utt2spk" "$mfcc_config" \
        "$vad_config" makes "$train/vad.scp" "$test/vad.scp"; then
        for dir in "$train" "$test"; do eval "$(features_commands "$dir" "$nj" "$train_cmd")"; done
    fi

    marks=$exp/stages
    if in_stage 3 "Train A, the embedder" for "${clean_inputs[@]}" "$embedder_config" "$train_args $embedder_args $seed" \
        makes "$embedder"; then
        set_aside_unless_resumed "$exp/embedder"
        train_alone embedder embedder --config "$embedder_config" --data "$train" "${train_words[@]}" "${embedder_words[@]}"
    fi

    if in_stage 4 "Clean embeddings; train B, the classifier" for "${clean_inputs[@]}" "$embedder" \
        "$classifier_config" "$train_args $classifier_args $segments_per_utterance $seed" makes "$classifier" "$clean_speakers"; then
        set_aside_unless_resumed "$exp/classifier"
        each=$(threads_each 4)
        run_array "$gpu_cmd --num_threads $each" extract_embeddings "$(
            for set in train test; do
                line extract_embeddings --model "$exp/embedder" --data "data/${clean_set:+${clean_set}_}$set" \
                    --out "$exp/xvectors/$set" --device "$device"
                echo
            done
            line extract_embeddings --model "$exp/embedder" --data "$train" --out "$exp/xvectors/train_segments" \
                --segments_per_utterance "$segments_per_utterance" --seed "$seed" --device "$device"
            echo
            line average_embeddings --model "$exp/embedder" --data "$train" --out "$(dirname "$clean_speakers")" \
                --seed "$seed" --device "$device"
        )"
        train_alone classifier classifier --config "$classifier_config" --data "$exp/xvectors/train_segments" "${train_words[@]}" \
            "${classifier_words[@]}"
    fi

    marks=data/stages
    if in_stage 5 "Mixtures" for "$train/wav.scp" "$test/wav.scp" data/stages/1 "$conditions $seed" "$mfcc_config" "$vad_config" \
        makes "${mixture_dirs[@]/%//vad.scp}"; then
        lines=$(
            for condition in "${condition_list[@]}"; do
                for set in train test; do
                    dir=$(mixtures "$condition" "$set")
                    if [[ -z $clean_set ]]; then
                        if [[ $STAGE_RESUMES != true ]]; then printf 'rm -rf %q %q && ' "$dir" "dump/$(basename "$dir")"; fi
                        line plan_mixtures --data "data/$set" --out "$dir" --snr_db "[${condition#snr}]" --seed "$seed"
                        echo -n " && "
                        line render_mixtures --data "$dir" --source_data "data/$set" --out "dump/$(basename "$dir")"
                        echo -n " && "
                    fi
                    features_commands "$dir"
                    echo
                done
            done
        )
        run_array "$train_cmd" make_mixtures "$lines"
    fi

    marks=$exp/stages
    if in_stage 6 "Train C, the de-mixing networks" for "${mixture_dirs[@]}" "$embedder" "$train_config" \
        "$train_args $demixer_args $seed $givens $functions $train_conditions $on_the_fly" \
        makes "${demixers[@]/%//last.safetensors}"; then
        for dir in "${demixers[@]}"; do set_aside_unless_resumed "$dir"; done
        lines=$(
            for given in "${given_list[@]}"; do
                for condition in $train_conditions; do
                    source=(--data "$(mixture_list train "$condition")")
                    if [[ $on_the_fly = true ]]; then source=(--draw.source_data "$train"); fi
                    training demixers --config "$train_config" --device "$device" --train.seed "$seed" "${source[@]}" \
                        --valid_data "$(mixture_list test "$condition")" --given "$given" --demixers "${functions// /,}" \
                        --embedder "$exp/embedder" --clean_speakers "$clean_speakers" --classifier "$exp/classifier" \
                        --exp_dir "$exp/demix_${given}_$condition" "${train_words[@]}" "${demixer_words[@]}"
                done
            done
        )
        train_array train_demixers "$lines"
    fi

    if in_stage 7 "Score" for "${mixture_dirs[@]}" "$embedder" "$classifier" "$clean_speakers" \
        "${demixers[@]/%//last.safetensors}" makes "$exp/baseline" "${demixers[@]/%//scores.json}"; then
        scored_by=(--classifier "$exp/classifier" --clean_speakers "$clean_speakers" --device "$device")
        lines=$(
            line score_baselines --embedder "$exp/embedder" "${scored_by[@]}" --given "$(both_or "$givens")" \
                --train_data "$(mixture_list train snr_all)" --test_data "$(mixture_list test snr_all)" \
                --clean_train_data "$train" --clean_test_data "$test" --out "$exp/baseline"
            echo
            for given in "${given_list[@]}"; do
                for condition in $train_conditions; do
                    models=("${function_list[@]/#/$exp/demix_${given}_${condition}_}")
                    line score_demixers "${scored_by[@]}" --models "$(IFS=, && echo "${models[*]}")" \
                        --train_data "$(mixture_list train "$condition")" --test_data "$(mixture_list test "$condition")"
                    echo
                done
            done
        )
        run_array "$gpu_cmd" score "$lines"
    fi

    if in_stage 8 "Report" for "$(cat "$exp"/demix_*/scores.json "$exp"/baseline/*/scores.json 2>/dev/null)" \
        makes "${results_dir:-$exp}/RESULTS.md"; then
        toolkit report_demixing --exp "$exp" --out "${results_dir:-$exp}" --corpus "$corpus" \
            --command "$(shown_command demix1 "$@")"
        log "results: $PWD/${results_dir:-$exp}/RESULTS.md"
    fi

    finish
    exit
}
