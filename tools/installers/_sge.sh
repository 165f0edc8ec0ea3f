# Sourced by sge_up.sh and sge_down.sh: where Debian's Grid Engine lives on this machine, and whose it is.
# shellcheck shell=bash
export SGE_ROOT=/var/lib/gridengine SGE_CELL=default
C=$SGE_ROOT/$SGE_CELL/common
S=/var/spool/gridengine
DEFAULTS=/usr/share/gridengine
PATH=$PATH:/usr/lib/gridengine # for spooledit
# shellcheck source=tools/installers/_daemons.sh
. "$(dirname "${BASH_SOURCE[0]}")/_daemons.sh"

# execd_pid_file: that of the execution daemon that runs, in a folder by whatever name it knows this host; or fails.
execd_pid_file() {
    local file
    for file in "$S"/execd/*/execd.pid; do
        if alive "$file" sge_execd; then echo "$file" && return; fi
    done
    return 1
}

# marked: sge_up.sh set this cell up, and nobody has made another host its master since.
marked() { [[ -e $C/set_up_by_zspex && $(cat "$C/act_qmaster" 2>/dev/null) == localhost ]]; }

# own_names: what this machine may be called, a name a line.
own_names() { printf '%s\n' localhost "$(hostname)" "$(hostname -s)" "$(hostname -f 2>/dev/null || hostname)"; }

# queues_and_hosts, unheard: names of the cell's queues and execution hosts; how long a silent host is waited for. From
# the running qmaster, which alone may touch the database then, else from there; nothing where there is no database.
# They end with 1 if there is no answer.
queues_and_hosts() {
    local found
    if alive "$S/qmaster/qmaster.pid" sge_qmaster; then
        { qconf -sql; qconf -sel; } 2>/dev/null || true # an empty list is an error to it, too
        qconf -sm >/dev/null 2>&1 || return 1
    elif [[ -e $S/spooldb/sge ]]; then
        found=$(spooledit list 2>/dev/null) || return 1
        sed -nE '/:(global|template)$/d; s/^(CQUEUE|EXECHOST)://p' <<<"$found"
    fi
}
unheard() {
    if alive "$S/qmaster/qmaster.pid" sge_qmaster; then
        qconf -sconf global | awk '$1 == "max_unheard" {print $2}'
    else
        spooledit dump CONFIG:global | grep --text -A1 '"max_unheard"' | sed -nE 's/.*CF_value.*"(.*)"/\1/p'
    fi
}

# masters: the processes of all qmasters that run on this machine, whoever's.
masters() {
    local pid
    for pid in $(grep -lsx sge_qmaster /proc/[0-9]*/comm | tr -dc '0-9\n'); do
        if running "$pid" sge_qmaster; then echo "$pid"; fi
    done
}

# taken: says why a cell without a mark is not for us to set up; ends with 1 if it is.
#
# Two kinds of cells are ours to take: one that nobody has set up, as Debian's package leaves it (its own bootstrap
# file, no queue, no other host), since there is nothing in it to lose; and one that sge_up.sh set up before it left
# marks: host_aliases that begin with localhost, its one queue, no other host, and the settings that it alone makes (a
# silent host is given up after 20 seconds, which no site would ask for).
taken() {
    local master things pid
    for pid in $(masters); do
        [[ $pid == "$(cat "$S/qmaster/qmaster.pid" 2>/dev/null)" ]] ||
            { echo "another Grid Engine runs on this machine (process $pid)" && return; }
    done
    master=$(cat "$C/act_qmaster" 2>/dev/null)
    grep -qxF "${master:-localhost}" < <(own_names) ||
        { echo "this machine belongs to the Grid Engine of $master" && return; }
    [[ ! -e $C/bootstrap ]] || cmp -s "$C/bootstrap" "$DEFAULTS/default-bootstrap" ||
        { echo "somebody has set up a Grid Engine on this machine ($C/bootstrap)" && return; }
    things=$(queues_and_hosts) || { echo "the Grid Engine of this machine does not answer" && return; }
    things=$(grep -vxF -e "$(own_names)" -e '' <<<"$things" | tr '\n' ' ')
    [[ $things ]] || return 1
    [[ $things != "main.q " || $(head -c 10 "$C/host_aliases" 2>/dev/null) != "localhost " ||
        $(unheard) != 00:00:20 ]] && echo "somebody has set up a Grid Engine on this machine (${things% })"
}
