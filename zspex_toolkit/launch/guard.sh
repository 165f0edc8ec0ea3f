# shellcheck shell=bash
# guard.sh GRACE_S: end groups of processes whose starter was killed. Its stdin, a pipe that the starter alone holds, tells
# which groups run (+ GROUP), which have ended (- GROUP), and that the guard may go (.); an end of it without that is the
# starter's death: SIGTERM to the groups, and SIGKILL to what is left after GRACE_S seconds.
trap '' HUP INT QUIT TERM # what ends all processes of a machine or a container is for the groups
declare -A running
while read -r sign group; do
    case $sign in
        +) running[$group]=yes ;;
        -) unset "running[$group]" ;;
        .) exit ;;
    esac
done
for group in "${!running[@]}"; do kill -TERM -- "-$group"; done
for ((left = 5 * $1; left >= 0; left--)); do
    for group in "${!running[@]}"; do
        if ((left == 0)); then kill -KILL -- "-$group"; fi
        kill -0 -- "-$group" || unset "running[$group]"
    done
    ((${#running[@]})) || break
    sleep 0.2
done
