#!/usr/bin/env bash
# Target speaker extraction trained on all the voices you have: any number of corpora and data directories, 16 kHz.
#   egs/many_voices/tse1/run.sh --train_data "speechocean762/train=DIR mine=DIR" [--test_data "mine=DIR"] [--stage N] ...
# (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/tse.sh" --recipe_dir "$here" \
    --corpus many_voices \
    --corpus_sets joined \
    --fs 16000 \
    --systems zspex \
    --dev_per_speaker 2 \
    "$@"
