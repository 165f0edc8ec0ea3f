# shellcheck shell=bash
# A recipe that is told to end, by Ctrl-C, `kill` or a terminal that closes, ends all that it has started, and cancels its
# jobs on a cluster. To be sourced by its script before anything else.
#
# The process that a user sees starts the script once more, in a session of its own, and waits: bash, while it runs a
# command, hears of a signal only when that has ended. A guard ends the session, as soon as it is let go of, which SIGKILL
# of the first process does, too. Commands of the session that have jobs (run_jobs, queue.pl) end these themselves.

_GUARD=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../zspex_toolkit/launch" && pwd)/guard.sh
_GRACE_S=75 # more than the minute that run_jobs gives to jobs

# _start_and_wait SCRIPT OPTION...: what the first process does.
_start_and_wait() {
    local _kind
    told='' status=0 guard='' heard=false
    for _kind in HUP INT TERM; do
        # shellcheck disable=SC2064  # now
        trap "_hear $_kind" "$_kind"
    done
    (
        trap - INT QUIT # which bash ignores in what runs in the background
        FIRST_PROCESS=$$ exec setsid bash "$@"
    ) &
    session=$!
    exec {pipe}> >(exec setsid bash "$_GUARD" "$_GRACE_S" >/dev/null 2>&1)
    guarded_by=$!
    echo "+ $session" >&"$pipe"
    guard=$pipe
    [[ -z $told ]] || _let_go
    while
        heard=false
        wait "$session" && status=0 || status=$?
        [[ $heard == true ]]
    do :; done
    if [[ -z $told ]] && ((status <= 128)); then
        echo . >&"$guard"
        exit "$status"
    fi
    _let_go # it was killed alone, if we were not told
    while kill -0 "$guarded_by" 2>/dev/null; do sleep 0.1; done
    if [[ $told == INT ]]; then # so that the loop of a script around us ends, too
        trap - INT
        kill -s INT $$
    fi
    case $told in HUP) exit 129 ;; TERM) exit 143 ;; *) exit "$status" ;; esac
}

# Called for each signal: the first ends the session, a later one does not let jobs save. What tells all processes of a
# group, as timeout does, may tell us twice at once.
_hear() {
    heard=true
    if [[ -z $told ]]; then
        told=$1 told_at=$SECONDS
        [[ -z $guard ]] || _let_go
    elif ((SECONDS - told_at >= 2)); then
        kill -TERM -- "-$session" 2>/dev/null || true
    fi
}

_let_go() {
    [[ -n $guard ]] || return 0
    guard=
    exec {pipe}>&-
}

_say_what_ended() {
    trap - ERR
    echo "$(basename "$0"): told to end; ended${STAGE_NUMBER:+ stage $STAGE_NUMBER ($STAGE_TITLE)}, with all that it ran;" \
        "the same command goes on from there" >&2
    exit 143
}

if [[ ${FIRST_PROCESS-} == "$PPID" ]]; then
    export -n FIRST_PROCESS
    trap _say_what_ended TERM
elif command -v setsid >/dev/null; then
    _start_and_wait "$0" "$@"
fi
