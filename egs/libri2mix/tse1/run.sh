#!/usr/bin/env bash
# Target speaker extraction on Libri2Mix, min, clean, 8 kHz: both speakers of 3,000 test mixtures, all unseen.
#   egs/libri2mix/tse1/run.sh --corpus_dir DIR [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/tse.sh" --recipe_dir "$here" \
    --corpus libri2mix \
    --corpus_sets "train dev test" \
    --own_trials true \
    --expected_si_sdr 0.0 \
    "$@"
