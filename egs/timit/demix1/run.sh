#!/usr/bin/env bash
# Speaker embedding de-mixing on TIMIT: all 630 speakers without the SA sentences, 6 to train and 2 to test.
#   egs/timit/demix1/run.sh --corpus_dir DIR [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/demix.sh" --recipe_dir "$here" \
    --corpus timit \
    --test_per_speaker 2 \
    --conditions "snr-5 snr0 snr5" \
    "$@"
