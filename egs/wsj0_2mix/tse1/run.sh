#!/usr/bin/env bash
# Target speaker extraction on wsj0-2mix, min, 8 kHz, with SpEx+'s lists: 101 training speakers, unseen test speakers.
#   egs/wsj0_2mix/tse1/run.sh --corpus_dir DIR [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/tse.sh" --recipe_dir "$here" \
    --corpus wsj0_2mix \
    --corpus_sets "train dev test" \
    --own_trials true \
    "$@"
