# Sourced by the scripts that start and stop clusters: daemons, told by the pid in their pid file.
# shellcheck shell=bash

# running PID COMMAND: the process is that command, and not a zombie (process 1 of a container may be slow to reap).
running() {
    [[ $(cat "/proc/$1/comm" 2>/dev/null) == "$2" ]] && ! grep -qs '^State:[[:space:]]*[ZX]' "/proc/$1/status"
}

# alive PIDFILE COMMAND: the daemon of that pid file runs.
alive() {
    local p
    p=$(cat "$1" 2>/dev/null) && [[ $p ]] && running "$p" "$2"
}

# stop PIDFILE COMMAND: end that daemon, if it runs.
stop() {
    local p t
    if alive "$1" "$2"; then
        p=$(cat "$1")
        kill -TERM "$p"
        for ((t = 0; t < 150; t++)); do
            running "$p" "$2" || break
            sleep 0.1
        done
        if running "$p" "$2"; then kill -KILL "$p"; fi
    fi
    rm -f "$1"
}
