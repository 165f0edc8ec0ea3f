#!/usr/bin/env bash
# Target speaker extraction: the stages of every egs/<corpus>/tse1/run.sh, which calls this with its facts.
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
num_threads=                                # threads of a training that runs alone; on a cluster processors of any job (empty: all, 4 at most; extractors take one)
cmd_backend=${cmd_backend:-local}           # how jobs are run: a file name of zspex_toolkit/launch/backends
recipe_dir=.                                # folder with conf/
work_dir=                                   # folder for data/, dump/ and exp/ (empty: recipe_dir)
corpus=                                     # name of the corpus: a file name of zspex_toolkit/corpora
corpus_dir=                                 # folder of the corpus (empty: the variable named like it)
corpus_options=                             # of its preparation, such as "{num_speakers: 40}"
corpus_fs=16000                             # rate of the corpus in Hz
corpus_sets=all                             # what its preparation writes: all, "train test" or "train dev test"; joined: train_data and test_data instead
train_data=                                 # if joined: any number of data directories, DIR or NAME=DIR, and corpora, CORPUS=DIR or CORPUS/SET=DIR
test_data=                                  # if joined: the same, of other speakers, to test on (empty: test_speakers are held out)
other_sets=                                 # further test sets, NAME=DIR of data directories each, such as of other microphones
fs=8000                                     # rate of everything that follows in Hz
test_speakers=6                             # with the set all: number of speakers for testing, unheard in training
dev_per_speaker=2                           # without a set dev: utterances of each training speaker for validation
voices=0                                    # further training voices out of each training speaker, by other formants and pitch: 0 to 4
dev_speakers=0                              # speakers that are targets in validation (0: all)
num_speakers=2                              # of a trial's mixture (of a training's: draw.num_speakers of its settings)
snr_db=-5,5                                 # target over interferer in dB, drawn between the two
mode=min                                    # mixtures are cut to the shorter source (min) or padded to the longer (max)
trial_list=                                 # plan of the test trials (empty: drawn)
own_trials=false                            # the corpus brings its own trials for validation and test
trial_options=                              # of their preparation, such as "{mode: max}"
noise_dir=                                  # folder of noise: in training, and in the set test_noisy
room_dir=                                   # folder of room impulse responses: the same
noisy_args=                                 # further options for the plan of test_noisy, such as "--noise_snr_db [0,15]"; alone, they make this set, too
absent_share=0.3                            # of the sets dev_absent and test_absent: trials without the enrolled speaker
single_share=0.2                            # of the same: trials in which only the target speaks
seen_speakers=6                             # training speakers of the set seen, for the t-SNE pictures ...
seen_per_speaker=30                         # ... and trials of each
test_sets="test test_absent seen"           # sets of trials to extract, score and report; dev, dev_absent, too; other_sets and test_noisy are added
seed=0                                      # of the splits, the trials and the trainings
systems="spex_plus zspex"                   # what to train: each has its settings in <train_configs>/<system>.yaml; a network of models/extractors without takes any.yaml there
train_configs=conf                          # folder of the settings
train_args=                                 # options for every extractor's training, such as "--train.num_epochs 3"
xvector=                                    # trained x-vector for the similarity of speakers (empty: train one)
xvector_config=conf/xvector.yaml            # settings of its training
xvector_args=                               # options for its training
mfcc_config=conf/mfcc.conf                  # Kaldi's own format, for the x-vector
vad_config=conf/vad.conf                    # Kaldi's own format, for the x-vector
exp_tag=                                    # experiment is exp/tse_<tag> (empty: made from train_args; exp/tse)
metrics="si_sdr sdr pesq stoi estoi"        # what to score the set test by (others by SI-SDR alone): file names of zspex_toolkit/metrics/speech
expected_si_sdr=                            # SI-SDR that is known for the unprocessed test mixtures in dB
report_args=                                # options for the report, such as "--ladder a,b"
results_dir=                                # folder of RESULTS.md, page.html and figures (empty: the experiment)
# End of options

help_message="Usage: run.sh [--option value ...]
$(options_help "${BASH_SOURCE[0]}")"
parse_options "$@"

settings=(train_configs mfcc_config vad_config xvector_config)
for option in xvector trial_list noise_dir room_dir; do
    if [[ -n ${!option} ]]; then settings+=("$option"); fi
done
[[ $corpus_sets = joined || -z $train_data$test_data$other_sets ]] ||
    die "--train_data, --test_data, --other_sets: $corpus brings its own data; start egs/many_voices/tse1/run.sh with them"
STARTED_IN=$PWD # what relative paths are meant from
absolute_words train_data test_data other_sets
enter_work_dir "${settings[@]}"
# shellcheck source-path=SCRIPTDIR source=path.sh
. "$COMMON/path.sh"
# shellcheck source-path=SCRIPTDIR source=cmd.sh
. "$COMMON/cmd.sh"

set_machine
read -ra system_list <<<"$systems"
nj_each=$(processes_each ${#system_list[@]})
if [[ " $metrics " = *" pesq "* ]] && ! python -c "import pesq" 2>/dev/null; then
    log "without PESQ, whose package is not installed (pip install 'zspex_toolkit[pesq]' compiles it)"
    metrics=$(sed -E 's/ *\bpesq\b//' <<<"$metrics")
fi
default_tag=$(tag_of "$train_args")
tag=${exp_tag:-$default_tag}
exp=exp/tse${tag:+_$tag}
read -ra train_words <<<"$train_args"
read -ra xvector_words <<<"$xvector_args"
read -ra report_words <<<"$report_args"
read -ra set_list <<<"$test_sets"
read -ra other_words <<<"$other_sets"
other_names=("${other_words[@]%%=*}")
other_names=("${other_names[@]%%/*}")
other_pairs=()
for set in "${other_names[@]}"; do other_pairs+=("$set=other_$set"); done
for set in "${set_list[@]}"; do
    [[ " dev dev_absent test test_absent seen " = *" $set "* ]] ||
        die "--test_sets: no set '$set'; there are: dev, dev_absent, test, test_absent, seen"
done
for set in "${other_names[@]}"; do
    [[ " dev dev_absent test test_absent test_noisy seen " != *" $set "* ]] ||
        die "--other_sets: '$set' is the name of another set; give it its own, NAME=DIR"
done
surroundings=() # options for plans, and, with "draw.", for trainings
if [[ -n $noise_dir ]]; then surroundings+=(--noise_dir "$noise_dir"); fi
if [[ -n $room_dir ]]; then surroundings+=(--room_dir "$room_dir"); fi
read -ra noisy_words <<<"$noisy_args"
noisy_plan=("${surroundings[@]}" "${noisy_words[@]}")
if ((${#noisy_plan[@]})); then set_list+=(test_noisy); fi
set_list+=("${other_names[@]}")
further_data=() # what decides on the data beside the facts of a corpus
if ((voices > 0)); then further_data+=("voices $voices"); fi
if [[ -n $train_data$test_data$other_sets ]]; then further_data+=("$train_data; $test_data; $other_sets"); fi
system_configs=() # of each system
for system in "${system_list[@]}"; do
    config=$train_configs/$system.yaml
    if [[ ! -f $config && -f $ROOT/zspex_toolkit/models/extractors/$system.py ]]; then config=$train_configs/any.yaml; fi
    [[ -f $config ]] ||
        die "--systems: no settings for '$system' in $train_configs; there are: $(cd "$train_configs" && echo *.yaml)"
    system_configs+=("$config")
done

# Folders and files of all systems, of all sets, and of all systems' sets.
trial_dirs=("${set_list[@]/#/data/trials_}") other_dirs=("${other_names[@]/#/data/other_}") system_dirs=("${system_list[@]/#/$exp/}")
mixture_scores=("${set_list[@]/#/$exp/mixture/}")
mixture_scores=("${mixture_scores[@]/%//scores.json}")
extracted=() scores=()
for dir in "${system_dirs[@]}"; do
    for set in "${set_list[@]}"; do
        extracted+=("$dir/extracted/$set/wav.scp")
        scores+=("$dir/scores/$set/scores.json")
    done
done

# resample SET=NAME...: data directories of the corpus at rate fs, as data/NAME.
resample() {
    local pair each
    each=$(processes_each $#)
    run_wide_array "$each" "$train_cmd" resample "$(
        for pair in "$@"; do
            line resample_data_dir --data "data/original/${pair%=*}" --out "data/${pair#*=}" --dump "dump/${pair#*=}" \
                --fs "$fs" --nj "$each"
            echo
        done
    )"
}

# Split data directory $1 by utterances: what is heard in training, and what it is validated on.
split_off_dev() {
    local each train=data/train
    if ((voices > 0)); then train=data/train_as_recorded; fi
    toolkit split_speakers --data "$1" --train $train --test data/dev --test_per_speaker "$dev_per_speaker" --seed "$seed"
    if ((voices > 0)); then
        each=$(processes_each 1)
        run_wide_array "$each" "$train_cmd" change_voices "$(line change_voices --data $train --out data/train_changed \
            --dump dump/train_changed --num_voices "$voices" --seed "$seed" --nj "$each")"
        toolkit combine_data_dirs --data "$train,data/train_changed" --out data/train
    fi
}

# Data directories of --train_data, --test_data and --other_sets under one system of names, as data/original/*.
join_corpora() {
    toolkit join_corpora --train_data "${train_data// /,}" --test_data "${test_data// /,}" --other_sets "${other_sets// /,}" \
        --out data/original --start "$STARTED_IN" --fs "$corpus_fs" --options "${corpus_options:-{\}}"
}

# trials SET SOURCE PLAN_OPTION...: one line of a job list: trials of the utterances of data/SOURCE, drawn or from the list.
trials() {
    local dir=data/trials_$1 source=data/$2 around=()
    if [[ $1 = test_noisy ]]; then around=("${surroundings[@]}"); fi
    if [[ $STAGE_RESUMES != true ]]; then printf 'rm -rf %q %q && ' "$dir" "dump/trials_$1"; fi
    if [[ $1 = test && -n $trial_list ]]; then
        printf 'mkdir -p %q && cp %q %q && ' "$dir" "$trial_list" "$dir/plan.jsonl"
    else
        line plan_trials --data "$source" --out "$dir" --num_speakers "$num_speakers" --snr_db "[$snr_db]" --mode "$mode" \
            --seed "$seed" --nj "$trial_nj" "${around[@]}" "${@:3}"
        echo -n " && "
    fi
    line render_trials --data "$dir" --source_data "$source" --out "dump/trials_$1" --nj "$trial_nj" "${around[@]}"
    echo -n " && "
    line validate_data_dir --data "$dir" --check_audio true --fs "$fs" --nj "$trial_nj"
    echo
}

# score_line COMMAND SET OUT OPTION...: one line of a job list.
score_line() {
    local measures=${metrics// /,}
    if [[ $2 != test ]]; then measures=si_sdr; fi # the other sets are for pictures, presence and comparison
    line "$1" --data "data/trials_$2" --out "$3" --embedder "$xvector_dir" --metrics "$measures" "${@:4}"
    echo
}

# The ladder of a results page, else its first table, in a few columns.
print_table() {
    if grep -q '^## Ladder' "$1"; then
        sed -n '/^## Ladder/,/^## [^L]/p' "$1" | grep '^|'
    else
        sed -n '/^| System/,/^$/p;/^| System/,/^$/{/^$/q}' "$1" | cut -d '|' -f 2,3,5,6,15,16
    fi
}

# bash reads a file as it runs; in braces all is read at once, so that this file may change meanwhile.
{
    marks=data/stages # shared by all experiments
    if in_stage 1 "Data: prepare, resample, split" for "$corpus $corpus_dir $corpus_options $corpus_sets $corpus_fs $fs" \
        "$test_speakers $dev_per_speaker $seed" "${further_data[@]}" "${joined_dirs[@]}" \
        makes data/{train,dev,test}/utt2spk "${other_dirs[@]/%//utt2spk}"; then
        if [[ $corpus_sets = joined ]]; then
            join_corpora
            sets=$([[ -n $test_data ]] && echo "train test" || echo all)
        else
            toolkit prepare_data --corpus "$corpus" --corpus_dir "$corpus_dir" --out data/original --fs "$corpus_fs" \
                --options "${corpus_options:-{\}}"
            sets=$corpus_sets
        fi
        case $sets in
            all)
                resample all=all "${other_pairs[@]}"
                toolkit hold_out_speakers --data data/all --train data/heard --test data/test \
                    --num_speakers "$test_speakers" --seed "$seed"
                split_off_dev data/heard
                ;;
            "train test")
                resample train=heard test=test "${other_pairs[@]}"
                split_off_dev data/heard
                ;;
            "train dev test") resample train=train dev=dev test=test "${other_pairs[@]}" ;;
            *) die "--corpus_sets: expected all, 'train test', 'train dev test' or joined, got '$corpus_sets'" ;;
        esac
        each=$(processes_each 2)
        run_wide_array "$each" "$train_cmd" validate "$(
            line validate_data_dir --data data/train --check_audio true --fs "$fs" --nj "$each"
            for dir in data/test "${other_dirs[@]}"; do
                echo
                line validate_data_dir --data "$dir" --check_audio true --fs "$fs" --nj "$each" --other data/train
            done
        )"
    fi

    if in_stage 2 "Trials: plan, render, validate" for data/{train,dev,test}/wav.scp "${other_dirs[@]/%//wav.scp}" \
        data/stages/1 "$trial_list" "${noisy_plan[@]}" \
        "$dev_speakers $num_speakers $snr_db $mode $absent_share $single_share $seen_speakers $seen_per_speaker $own_trials $trial_options $seed" \
        makes data/trials_{dev,dev_absent,test,test_absent,seen}/utt2spk "${trial_dirs[@]/%//utt2spk}"; then
        trial_nj=$(processes_each 5)
        if [[ $own_trials = true ]]; then
            each=$(processes_each 1)
            run_wide_array "$each" "$train_cmd" prepare_trials "$(
                line prepare_trials --corpus "$corpus" --corpus_dir "$corpus_dir" --out data --dump "dump/$corpus" --fs "$fs" \
                    --nj "$each" --options "${trial_options:-{\}}"
                for set in dev test; do
                    echo -n " && "
                    line validate_data_dir --data "data/trials_$set" --check_audio true --fs "$fs" --nj "$each"
                done
            )"
        fi
        run_wide_array "$trial_nj" "$train_cmd" make_trials "$(
            if [[ $own_trials != true ]]; then
                trials dev dev --speakers "$dev_speakers"
                trials test test
            fi
            conditions=(--absent_share "$absent_share" --single_share "$single_share")
            trials dev_absent dev --speakers "$dev_speakers" "${conditions[@]}"
            trials test_absent test "${conditions[@]}"
            trials seen train --speakers "$seen_speakers" --per_speaker "$seen_per_speaker"
            if ((${#noisy_plan[@]})); then trials test_noisy test "${noisy_words[@]}"; fi
            for set in "${other_names[@]}"; do trials "$set" "other_$set"; done
        )"
        num_absent=$(grep -c ' absent$' data/trials_dev_absent/utt2condition || true)
        ((num_absent >= 5)) || die "data/trials_dev_absent: expected 5 or more trials without the enrolled speaker, to" \
            "calibrate the presence score with, found $num_absent; raise --dev_per_speaker, --dev_speakers or --absent_share"
    fi

    marks=$exp/stages
    xvector_dir=${xvector:-$exp/xvector}
    if [[ -z $xvector ]] && in_stage 3 "Train the x-vector that tells the similarity of speakers" for data/train/wav.scp \
        data/stages/1 "$xvector_config" "$mfcc_config" "$vad_config" "$xvector_args $seed" makes "$xvector_dir/last.safetensors"; then
        set_aside_unless_resumed "$xvector_dir"
        eval "$(features_commands data/train "$nj" "$train_cmd")"
        train_alone embedder xvector --config "$xvector_config" --data data/train "${xvector_words[@]}"
    fi

    if in_stage 4 "Score the unprocessed mixtures" for "${trial_dirs[@]}" "$xvector_dir/last.safetensors" \
        "$metrics $expected_si_sdr" makes "${mixture_scores[@]}"; then
        lines=$(
            for set in "${set_list[@]}"; do
                known=()
                if [[ $set = test && -n $expected_si_sdr ]]; then known=(--expected_si_sdr "$expected_si_sdr"); fi
                score_line score_mixtures "$set" "$exp/mixture/$set" "${known[@]}"
            done
        )
        run_array "$train_cmd" score_mixtures "$lines"
        grep -h -A 2 'SI-SDR of the ' "$exp"/log/score_mixtures.*.log | grep -v '^#' || true # a warning, if not as expected
    fi

    if in_stage 5 "Train the extractors" for data/train/wav.scp data/stages/1 data/trials_dev \
        "$systems $train_args $seed" "${surroundings[@]}" "${system_configs[@]}" \
        makes "${system_dirs[@]/%//last.safetensors}"; then
        lines=$(
            for i in "${!system_list[@]}"; do
                system=${system_list[i]} network=()
                if [[ ${system_configs[i]} = */any.yaml ]]; then network=(--extractor "$system"); fi
                training extractor --config "${system_configs[i]}" "${network[@]}" --device "$device" --train.seed "$seed" \
                    --draw.source_data data/train "${surroundings[@]/#--/--draw.}" --valid_data data/trials_dev \
                    --exp_dir "$exp/$system" "${train_words[@]}"
            done
        )
        for i in "${!system_list[@]}"; do # each for itself, so that one more system leaves the others as they are
            set_aside_unless_from "$exp/${system_list[i]}" data/train/wav.scp data/stages/1 data/trials_dev \
                "$train_args $seed" "${surroundings[@]}" "${system_configs[i]}"
        done
        train_array train_extractor "$lines"
    fi

    if in_stage 6 "Extract" for data/trials_dev_absent "${trial_dirs[@]}" "${system_dirs[@]/%//last.safetensors}" \
        makes "${extracted[@]}"; then
        lines=$(
            for system in "${system_list[@]}"; do
                line calibrate_presence --model "$exp/$system" --data data/trials_dev_absent --device "$device" \
                    --nj "$nj_each"
                for set in "${set_list[@]}"; do
                    echo -n " && "
                    line extract_trials --model "$exp/$system" --data "data/trials_$set" --device "$device" \
                        --nj "$nj_each" --out "$exp/$system/extracted/$set"
                done
                echo
            done
        )
        run_wide_array "$nj_each" "$gpu_cmd" extract "$lines"
    fi

    if in_stage 7 "Score" for "${trial_dirs[@]}" "${extracted[@]%/wav.scp}" "${mixture_scores[@]}" \
        makes "${scores[@]}"; then
        lines=$(
            for system in "${system_list[@]}"; do
                for set in "${set_list[@]}"; do
                    score_line score_extraction "$set" "$exp/$system/scores/$set" --extracted "$exp/$system/extracted/$set" \
                        --mixture_scores "$exp/mixture/$set"
                done
            done
        )
        run_array "$train_cmd" score "$lines"
    fi

    if in_stage 8 "Report" for "${scores[@]}" "${mixture_scores[@]}" "$report_args" \
        makes "${results_dir:-$exp}"/{RESULTS.md,results.json,page.html}; then
        toolkit report_extraction --exp "$exp" --out "${results_dir:-$exp}" --corpus "$corpus" --systems "${systems// /,}" \
            --xvector "$xvector_dir" --seed "$seed" --command "$(shown_command tse1 "$@")" "${report_words[@]}"
    fi

    finish
    if ((stop_stage >= 8)); then
        print_table "${results_dir:-$exp}/RESULTS.md"
        log "results: $PWD/${results_dir:-$exp}/RESULTS.md and page.html beside it"
    fi
    exit
}
