# shellcheck shell=bash
# What every recipe script needs: log, die, parse_options, in_stage and finish. To be sourced.
#
# A stage is done when its mark, the file $marks/<number>, holds the hash of all that it depends on, and all that it makes
# exists; in_stage is false then. Names here are upper-case or start with _, since each lower-case variable that is set
# when parse_options is called is an option. A recipe script sets stage, stop_stage, force and marks (a folder).
# shellcheck disable=SC2154

STAGE_NUMBER='' STAGE_TITLE='' STAGE_HASH='' STAGE_MARK='' STAGE_START=0 STAGE_RESUMES=false
declare -A STAGE_LOCKS=()

log() { echo "$(date '+%Y-%m-%dT%H:%M:%S') ($(basename "$0"):${BASH_LINENO[-2]}) $*"; }

die() {
    echo "$(basename "${BASH_SOURCE[1]}"):${BASH_LINENO[0]}: $*" >&2
    exit 1
}

# Options as in Kaldi: `--foo-bar v` and `--foo_bar v` set the variable foo_bar, which must have been set before.
# `--config FILE` is sourced first, `--help` prints $help_message; a default of true or false allows no other value.
parse_options() {
    local _position _name _value _words=("$@")
    for ((_position = 0; _position < $#; _position++)); do
        case ${_words[_position]} in
            --help | -h)
                printf '%s\n' "${help_message:-no help}"
                exit 0
                ;;
            --config)
                _value=${_words[_position + 1]-}
                [[ -r $_value ]] || _usage "--config: cannot read '$_value'"
                # shellcheck source=/dev/null
                . "$_value"
                ;;
        esac
    done
    while (($# > 0)); do
        [[ $1 == --?* ]] || _usage "unexpected argument '$1': options have the form --name value"
        [[ $1 != *=* ]] || _usage "'$1': options have the form --name value, with a blank"
        _name=${1#--}
        _name=${_name//-/_}
        (($# > 1)) || _usage "option $1 has no value"
        _value=$2
        if [[ $_name != config ]]; then
            _is_option "$_name" || _usage "unknown option $1$(_nearest_option "$_name")"
            if [[ ${!_name} =~ ^(true|false)$ && ! $_value =~ ^(true|false)$ ]]; then
                _usage "option $1: expected true or false, got '$_value'"
            fi
            if [[ -n ${!_name} && ! ${!_name} =~ [^0-9] && ! $_value =~ ^-?[0-9]+$ ]]; then
                _usage "option $1: expected a number, got '$_value'"
            fi
            printf -v "$_name" '%s' "$_value"
        fi
        shift 2
    done
}

_usage() {
    echo "$(basename "$0"): $*; --help lists the options" >&2
    exit 2
}

_option_names() { compgen -v | grep -E '^[a-z][a-z0-9_]*$' | grep -vE '^(help_message|https?_proxy|no_proxy|ftp_proxy)$'; }

_is_option() { _option_names | grep -qxF -e "$1"; }

# "; did you mean --name?" for the option that the fewest changed letters away from $1, if fewer than half of them.
_nearest_option() {
    _option_names | awk -v name="$1" '
        function min(a, b) { return a < b ? a : b }
        function distance(s, t,    i, j, d) {
            for (i = 0; i <= length(s); i++) d[i, 0] = i
            for (j = 0; j <= length(t); j++) d[0, j] = j
            for (i = 1; i <= length(s); i++)
                for (j = 1; j <= length(t); j++)
                    d[i, j] = min(min(d[i - 1, j], d[i, j - 1]) + 1, \
                                  d[i - 1, j - 1] + (substr(s, i, 1) != substr(t, j, 1)))
            return d[length(s), length(t)]
        }
        BEGIN { least = int((length(name) + 1) / 2) }
        { d = distance(name, $1); if (d < least) { least = d; best = $1 } }
        END { if (best) printf "; did you mean --%s?", best }'
}

# The options of a script as help: the lines of its block "# Options" .. "# End of options", `name=value  # meaning`.
options_help() {
    sed -n '/^# Options/,/^# End of options/p' "$1" | sed -nE 's/^([a-z_0-9]+)=([^#]*[^# ])? *# (.*)$/\1\t\2\t\3/p' |
        sed -E 's/\$\{[a-z_]+:-([^}]*)\}/\1/' | # a default that the environment may change
        awk -F '\t' '{ printf "  --%-20s %s%s\n", $1, $3, ($2 == "" || $2 == "\"\"") ? "" : " [" $2 "]" }'
}

# in_stage NUMBER TITLE [for INPUT...] [makes OUTPUT...]: true if the stage is to be run now.
# An INPUT is a file, a directory (all files in it count) or any other text, such as an option's value.
in_stage() {
    local _number=$1 _title=$2 _kind=for _word _inputs=() _outputs=()
    _close_stage
    shift 2
    for _word in "$@"; do
        case $_word in
            for | makes) _kind=$_word ;;
            *) if [[ $_kind == for ]]; then _inputs+=("$_word"); else _outputs+=("$_word"); fi ;;
        esac
    done
    if ((_number < stage || _number > stop_stage)); then return 1; fi
    STAGE_NUMBER=$_number STAGE_TITLE=$_title STAGE_MARK=$marks/$_number STAGE_START=$SECONDS
    STAGE_HASH=$(_hash_of "$_title" "${_inputs[@]}")
    if [[ $force != true ]] && _is_done "${_outputs[@]}"; then
        log "Stage $_number: $_title: done before, skipped (--force true runs it again)"
        STAGE_NUMBER=
        return 1
    fi
    STAGE_RESUMES=false
    if [[ $force != true && -f $STAGE_MARK.begun && $(<"$STAGE_MARK.begun") == "$STAGE_HASH" ]]; then
        STAGE_RESUMES=true
    fi
    mkdir -p "$marks" || die "cannot make the folder $marks" # errexit is off in a condition
    _lock_marks
    rm -f "$STAGE_MARK"
    echo "$STAGE_HASH" >"$STAGE_MARK.begun"
    log "Stage $_number: $_title"
}

# Two runs of recipes must not write the same stages: the kernel keeps the lock of a folder of marks for as long as this
# shell, or a command that it started here, lives. That of the data, which experiments share, is let go of when the next
# stage is of an experiment.
_lock_marks() {
    local _file=$marks/.lock _status=0 _other _lock
    for _other in "${!STAGE_LOCKS[@]}"; do
        if [[ $_other != "$marks" && $_other == data/* ]]; then
            _lock=${STAGE_LOCKS[$_other]}
            exec {_lock}>&-
            unset "STAGE_LOCKS[$_other]"
        fi
    done
    if [[ -n ${STAGE_LOCKS[$marks]-} ]] || ! command -v flock >/dev/null; then return; fi
    exec {_lock}>>"$_file" || die "cannot write $_file"
    flock --nonblock "$_lock" || _status=$?
    if ((_status == 1)); then
        die "$(dirname "$marks"): in use by another run of a recipe ($(<"$_file")) or what it has left running;" \
            "wait for it, stop it, or give another --exp_tag or --work_dir"
    elif ((_status > 1)); then
        log "warning: this disk has no locks: do not start a second recipe in $PWD while this one runs"
    fi
    echo "process ${FIRST_PROCESS:-$$} on host $(hostname), since $(date '+%Y-%m-%dT%H:%M:%S')" >"$_file"
    STAGE_LOCKS[$marks]=$_lock
}

# Move folder $1, if it is there, to old/ beside it, unless it is the unfinished work of this same stage and options.
set_aside_unless_resumed() {
    local _old
    if [[ $STAGE_RESUMES == true || ! -e $1 ]]; then return; fi
    _old=$(dirname "$1")/old/$(date '+%Y-%m-%dT%H.%M.%S')
    mkdir -p "$_old"
    mv "$1" "$_old/"
    log "$1 was made with other data or options; it is now in $_old"
}

# set_aside_unless_from FOLDER INPUT...: as above for one of several trainings of a stage, each with its own inputs (as
# those of in_stage): FOLDER stays, whole or unfinished, if it was begun from the same ones.
set_aside_unless_from() {
    local _folder=$1 _hash
    _hash=$(_hash_of "${@:2}")
    if [[ $force != true && -f $_folder/inputs && $(<"$_folder/inputs") == "$_hash" ]]; then return; fi
    STAGE_RESUMES=false set_aside_unless_resumed "$_folder"
    mkdir -p "$_folder"
    echo "$_hash" >"$_folder/inputs"
}

# End the last stage; the last line of every recipe script.
finish() {
    _close_stage
    log "Successfully finished. [elapsed=${SECONDS}s]"
}

_close_stage() {
    if [[ -z $STAGE_NUMBER ]]; then return; fi
    mv "$STAGE_MARK.begun" "$STAGE_MARK"
    log "Stage $STAGE_NUMBER: ended [elapsed=$((SECONDS - STAGE_START))s]"
    STAGE_NUMBER=
}

_is_done() {
    local _output
    [[ -f $STAGE_MARK && $(<"$STAGE_MARK") == "$STAGE_HASH" ]] || return 1
    for _output in "$@"; do
        [[ -e $_output ]] || return 1
    done
}

_hash_of() {
    local _input
    for _input in "$@"; do
        printf '%s\n' "$_input"
        if [[ -d $_input ]]; then
            find "$_input" -maxdepth 1 -type f -not -name '.*' -print0 | sort -z | xargs -0 -r sha256sum
        elif [[ -f $_input ]]; then
            sha256sum "$_input"
        fi
    done | sha256sum | cut -d ' ' -f 1
}

# Tell which stage and command failed; `set -E` hands the trap on to functions.
_report_failure() {
    local _status=$1 _line=$2 _command=$3
    trap - ERR # said once, not again by each caller
    if [[ -n $STAGE_NUMBER ]]; then
        {
            echo "$(basename "${BASH_SOURCE[1]}"):$_line: stage $STAGE_NUMBER ($STAGE_TITLE) failed with status $_status at: $_command"
            echo "what is said above tells why; once it is mended, the same command goes on with this stage"
        } >&2
    fi
}
set -E
shopt -s inherit_errexit # a failure within $(...) is one
trap '_report_failure "$?" "$LINENO" "$BASH_COMMAND"' ERR

# with_progress LOG_GLOB COMMAND...: run COMMAND, and every few seconds print the newest line that its logs have got; of
# trainings also, once, how they share out their work.
with_progress() {
    local _logs=$1 _status=0
    shift
    _print_progress &
    local _printer=$!
    "$@" || _status=$?
    kill "$_printer" 2>/dev/null || true
    wait "$_printer" 2>/dev/null || true
    return "$_status"
}

_HOW_IT_TRAINS='effective batch: |learning rate: |[0-9]+ processes: batch_size counts '

_print_progress() {
    local _log _line _last='' _told='' _lock
    for _lock in "${STAGE_LOCKS[@]}"; do exec {_lock}>&-; done # the last sleep outlives us
    trap - ERR
    trap '_tell_how_it_trains; exit' TERM # the last of it, of a training of a few seconds
    set +e
    while _wait 5 && kill -0 "$$" 2>/dev/null; do # not outliving us
        _tell_how_it_trains
        # shellcheck disable=SC2012,SC2086  # a glob, of our own names
        _log=$(ls -t $_logs 2>/dev/null | head -n 1)
        # Whatever the job writes: binary data, or gigabytes without an end of line.
        _line=$([[ -z $_log ]] || tail -c 4096 "$_log" | tr '\r' '\n' | tail -n 3 | tr -d '\000-\010\013-\037\177' |
            grep -a '^[^#]' | tail -n 1 | cut -c -150)
        if [[ -n $_line && $_line != "$_last" ]]; then
            echo "    $(basename "$_log" .log): $_line"
            _last=$_line
        fi
    done
}

# Wait in a way that a signal ends, and without holding our output open.
_wait() {
    sleep "$1" >/dev/null 2>&1 &
    wait $!
}

_tell_how_it_trains() {
    local _new
    # shellcheck disable=SC2086
    while IFS= read -r _new; do
        if [[ $'\n'$_told != *$'\n'"$_new"$'\n'* ]]; then
            echo "    $_new"
            _told+=$_new$'\n'
        fi
    done < <(head -q -c 8192 $_logs 2>/dev/null | tr '\r' '\n' | grep -aE "^[^ ]+ ($_HOW_IT_TRAINS)" | cut -d ' ' -f 2-)
}
