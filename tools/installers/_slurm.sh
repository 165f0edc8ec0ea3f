# Sourced by slurm_up.sh and slurm_down.sh: where the cluster of this machine lives.
# shellcheck shell=bash
# shellcheck source=tools/installers/_daemons.sh
. "$(dirname "${BASH_SOURCE[0]}")/_daemons.sh"
D=${SLURM_DIR:-/var/lib/zspex-slurm}
FORMER=/tmp/slurm-local # the default place of earlier versions

# roots_alone FOLDER: no other user can write the settings and pid files there, which daemons of root, and we, go by.
roots_alone() {
    [[ -z $(find "$1" "$1"/{etc,state,spool,log,run,munge} -maxdepth 0 \
        '(' ! -type d -o ! -user root -o -perm /022 ')' 2>/dev/null) ]]
}

# refuse_others_folder NAME: end the script of that name if other users can write where the cluster lives.
refuse_others_folder() {
    roots_alone "$D" && return
    echo "$1: $D or a folder in it is not root's, or others can write it: remove it, or set SLURM_DIR" >&2
    exit 1
}

# former_runs: a cluster runs in the former default place, and was started by root.
former_runs() { [[ $D != "$FORMER" ]] && roots_alone $FORMER && alive $FORMER/run/slurmctld.pid slurmctld; }
