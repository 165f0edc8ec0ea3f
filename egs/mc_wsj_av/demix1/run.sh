#!/usr/bin/env bash
# Speaker embedding de-mixing on MC-WSJ-AV: overlapping speech, A and B from the headsets, C on two array microphones.
#   egs/mc_wsj_av/demix1/run.sh --corpus_dir DIR [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/demix.sh" --recipe_dir "$here" \
    --corpus mc_wsj_av \
    --clean_set headset \
    --conditions "array1 array2" \
    --givens "e2" \
    "$@"
