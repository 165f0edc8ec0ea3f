# shellcheck shell=bash
# What the recipe scripts of every task share: how they begin, and how they run commands as jobs. To be sourced after
# stages.sh. The scripts set what is used here: recipe_dir, work_dir, corpus, corpus_dir, stage, stop_stage, exp, nj, ...
# shellcheck disable=SC2034,SC2154

# enter_work_dir [OPTION...]: make the files and folders that the OPTIONs name absolute (below the recipe's folder, else
# from here), go to the work folder and find the corpus.
enter_work_dir() {
    local _option _file
    # The corpus that is made here lies in the work folder, from wherever this is started.
    if [[ $corpus != mini && -e $corpus_dir ]]; then corpus_dir=$(realpath "$corpus_dir"); fi
    recipe_dir=$(realpath "$recipe_dir")
    for _option in "$@"; do
        _file=$recipe_dir/${!_option}
        if [[ ! -e $_file ]]; then _file=$(realpath -m "${!_option}"); fi
        [[ -e $_file ]] || die "--$_option: no such file: ${!_option}, neither here nor in $recipe_dir"
        printf -v "$_option" '%s' "$_file"
    done
    mkdir -p "${work_dir:-$recipe_dir}"
    cd "${work_dir:-$recipe_dir}" || die "cannot enter ${work_dir:-$recipe_dir}"
    _find_corpus
    ((stage <= stop_stage)) || die "--stage $stage is after --stop_stage $stop_stage"
}

# absolute_words OPTION...: of lists of words DIR or NAME=DIR, the folders that are there made absolute; those also go to
# the array joined_dirs.
absolute_words() {
    local _option _word _words _name _folder _made
    joined_dirs=()
    for _option in "$@"; do
        read -ra _words <<<"${!_option}"
        _made=()
        for _word in "${_words[@]}"; do
            _name='' _folder=$_word
            if [[ $_word =~ ^([A-Za-z0-9][A-Za-z0-9_./-]*=)(.+)$ ]]; then
                _name=${BASH_REMATCH[1]} _folder=${BASH_REMATCH[2]}
            fi
            if [[ -e $_folder ]]; then
                _folder=$(realpath "$_folder")
                joined_dirs+=("$_folder")
            fi
            _made+=("$_name$_folder")
        done
        printf -v "$_option" '%s' "${_made[*]}"
    done
}

_find_corpus() {
    [[ -n $corpus ]] || die "--corpus is not set; start a recipe's run.sh, such as egs/mini/demix1/run.sh"
    local _variable
    if [[ ${corpus_sets-} = joined ]]; then
        [[ -n $train_data ]] || ((stage > 1)) ||
            die "on what to train? Give --train_data, data directories or corpora: --train_data \"speechocean762=DIR mine=DIR\""
        return
    fi
    _variable=$(tr '[:lower:]' '[:upper:]' <<<"$corpus")
    corpus_dir=${corpus_dir:-${!_variable-}}
    if ((stage <= 1)) && [[ $corpus != mini ]]; then
        [[ -n $corpus_dir ]] ||
            die "where is the corpus $corpus? Give --corpus_dir DIR or set the variable: export $_variable=DIR"
        [[ -d $corpus_dir ]] ||
            die "no such folder: $corpus_dir; give --corpus_dir DIR or set $_variable to the root of $corpus"
    fi
}

# Fill in what depends on the machine, and how a training is started.
set_machine() {
    processors=$(env -u OMP_NUM_THREADS nproc) # nproc would tell our OMP_NUM_THREADS
    nj=${nj:-$processors}
    on_cluster=true # nj counts jobs there, on other machines than this one
    case $train_cmd in *"zspex_toolkit.bin.run_jobs --backend local"* | *run.pl*) on_cluster=false ;; esac
    # The number of threads decides the last bits of a training: the same one here and on the nodes of a cluster.
    num_threads=${num_threads:-$((processors > 4 ? 4 : processors))}
    if [[ -z $ngpu && ${CUDA_VISIBLE_DEVICES-all} =~ ^(-1|NoDevFiles)?$ ]]; then ngpu=0; fi # they are hidden
    ngpu=${ngpu:-$(nvidia-smi -L 2>/dev/null | grep -c -m 1 '^GPU ' || true)}
    device=$( ((ngpu > 0)) && echo cuda || echo cpu)
    processes=${num_processes:-$((ngpu > 1 ? ngpu : 1))} # of a training on each node
    ((ngpu == 0 || processes == ngpu)) ||
        die "--num_processes $num_processes: on GPUs a training has one process for each (--ngpu $ngpu); leave it empty"
    # On a cluster each GPU gets num_threads processors, for its data processes, too.
    training_threads=$num_threads
    if [[ $on_cluster = true ]] && ((ngpu > 0)); then training_threads=$((num_threads * processes)); fi
    gpu_cmd=$cuda_cmd training_cmd=$cuda_cmd trainer=(python -m)
    # A cluster without GPUs need not describe the option. What is no training takes one.
    if ((ngpu > 0)); then gpu_cmd+=" --gpu 1" training_cmd+=" --gpu $ngpu"; fi
    if ((num_nodes > 1)); then training_cmd+=" --num_nodes $num_nodes"; fi
    if [[ $cuda_cmd == *zspex_toolkit.bin.run_jobs* ]]; then
        ((num_nodes == 1)) || [[ $cuda_cmd == *"--backend slurm"* ]] ||
            die "--num_nodes $num_nodes: trainings on several nodes are jobs of Slurm; give --cmd_backend slurm"
        training_cmd+=" --requeue true" # an option that a site's own command does not know
    fi
    if ((num_nodes * processes > 1)); then
        trainer=("$COMMON/several_processes.sh" "$num_nodes" "$processes")
    fi
    _write_path_sh
}

# Kaldi's queue.pl and slurm.pl hand on no more than PATH, but read path.sh in the folder where they are started. One
# that a site wrote itself stays as it is.
_write_path_sh() {
    local _mark="# The environment of the recipe, for the jobs of a site's own queue.pl or slurm.pl; written anew by every start."
    local _kept _name
    if [[ $train_cmd == *zspex_toolkit.bin.run_jobs* && $cuda_cmd == *zspex_toolkit.bin.run_jobs* ]]; then return; fi
    if [[ -e path.sh && $(head -n 1 path.sh) != "$_mark" ]]; then return; fi
    # As for jobs of our own.
    _kept=$(PYTHONPATH=$COMMON/../.. python -c "from zspex_toolkit.launch.job_script import KEPT; print(KEPT.pattern)")
    {
        echo "$_mark"
        for _name in $(compgen -e | grep -xE "$_kept"); do printf 'export %s=%q\n' "$_name" "${!_name}"; done
    } >"path.sh.$$"
    mv "path.sh.$$" path.sh
}

# A name for an experiment from the options of its trainings. File systems take up to 255 characters.
tag_of() {
    local _tag
    _tag=$(sed -E 's/[^A-Za-z0-9.]+/_/g; s/^_|_$//g' <<<"$*")
    if ((${#_tag} > 150)); then _tag=${_tag:0:140}_$(sha256sum <<<"$*" | cut -c 1-8); fi
    echo "$_tag"
}

toolkit() { python -m "zspex_toolkit.bin.$1" "${@:2}"; }

# One line of a job list: a toolkit command, quoted.
line() { printf 'python -m zspex_toolkit.bin.%s%s' "$1" "$(printf ' %q' "${@:2}")"; }

# run_array CMD_WITH_OPTIONS NAME LINES: the lines as one job array, nj at once.
run_array() {
    local cmd=$1 name=$2 lines=$3
    mkdir -p "$exp/jobs"
    printf '%s\n' "$lines" >"$exp/jobs/$name.txt"
    log "$name: $(wc -l <"$exp/jobs/$name.txt") jobs, $nj at once; logs: $exp/log/$name.*.log"
    # shellcheck disable=SC2086  # cmd and its options are words
    with_progress "$exp/log/$name.*.log" $cmd --max-jobs-run "$nj" "JOB=1:$(wc -l <"$exp/jobs/$name.txt")" \
        "$exp/log/$name.JOB.log" bash "$COMMON/run_line.sh" "$exp/jobs/$name.txt" JOB
}

# processes_each N: how many processes a job may have, of N jobs at once.
processes_each() {
    if [[ $on_cluster = true ]]; then echo "$num_threads"; else echo $((nj > $1 ? nj / $1 : 1)); fi
}

# threads_each N: how many threads a job may have, of N jobs at once: as many on a cluster as here, since the number of
# threads decides the last bits of what is computed.
threads_each() {
    local _each=$((nj > $1 ? nj / $1 : 1))
    if [[ $on_cluster = true ]] && ((_each > num_threads)); then _each=$num_threads; fi
    echo "$_each"
}

# run_wide_array PROCESSES CMD_WITH_OPTIONS NAME LINES: as above, of jobs that start as many processes of one thread each.
run_wide_array() {
    local one="export OMP_NUM_THREADS=1; "
    run_array "$2 --num_threads $1" "$3" "$one${4//$'\n'/$'\n'$one}"
}

# train_alone NAME FOLDER ARGS: one training as one job, into the experiment's FOLDER.
train_alone() {
    local list=$exp/jobs/train_$2.txt # quoted there, whatever the words hold
    mkdir -p "$exp/jobs"
    echo "OMP_NUM_THREADS=$training_threads $(training "$1" --exp_dir "$exp/$2" --device "$device" --train.seed "$seed" "${@:3}")" >"$list"
    log "train_$1: log is $exp/log/train_$2.log"
    # shellcheck disable=SC2086
    with_progress "$exp/log/train_$2.log" $training_cmd --num_threads "$training_threads" "$exp/log/train_$2.log" \
        bash "$COMMON/run_line.sh" "$list" 1
}

# training NAME ARGS: one line of a job list: a training, quoted.
training() {
    printf '%q ' "${trainer[@]}" "zspex_toolkit.bin.train_$1" "${@:2}"
    echo
}

# train_array NAME LINES: trainings as one job array. A thread for each process: of these networks' many short
# operations, a second thread takes longer to wake than to compute.
train_array() {
    local cmd=$training_cmd nj=$nj
    if ((ngpu == 0 && processes > 1)); then
        cmd+=" --num_threads $processes" nj=$((nj > processes ? nj / processes : 1))
    elif ((ngpu > 0)) && [[ $on_cluster = true ]]; then
        cmd+=" --num_threads $training_threads"
    fi
    run_array "$cmd" "$@"
}

# features_commands DIR [JOBS CMD]: commands that check a data directory and make its features, as JOBS jobs run by CMD.
# A line of a job list has neither: a job that waited for jobs of its own could wait for ever, and many sites take none
# from their nodes.
features_commands() {
    local how=(--nj "${2:-1}" --cmd "${3-}")
    line validate_data_dir --data "$1" --check_audio true
    echo -n " && "
    line make_mfcc --data "$1" --out dump/mfcc --mfcc_config "$mfcc_config" "${how[@]}"
    echo -n " && "
    line compute_vad --data "$1" --out dump/vad --vad_config "$vad_config" "${how[@]}"
}

# shown_command TASK ARGS: the command line that gives the same results again: what was given beside the facts in run.sh.
shown_command() {
    local folders words=("egs/$corpus/$1/run.sh")
    shift
    while (($# > 1)); do
        case $1 in
            --corpus_dir | --corpus-dir) if [[ $corpus != mini ]]; then words+=(--corpus_dir DIR); fi ;;
            --train?data | --test?data | --other?sets)
                folders=$(sed -E 's/(^| )([^ =]+=)?[^ ]+/\1\2DIR/g' <<<"$2")
                words+=("$1" "${folders@Q}")
                ;;
            --noise?dir | --room?dir) words+=("$1" DIR) ;;
            --nj | --*gpu | --num?threads | --stage | --stop?stage | --force | --*_dir | --cmd?backend | --config) ;;
            *) grep -qxF -e "    $1 \"$2\" \\" -e "    $1 $2 \\" "$recipe_dir/run.sh" || words+=("$1" "${2@Q}") ;;
        esac
        shift 2
    done
    echo "${words[*]}"
}
