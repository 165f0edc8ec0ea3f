#!/usr/bin/env bash
# Speaker embedding de-mixing on the self-made corpus of synthetic voices: no download, every stage in minutes.
#   egs/mini/demix1/run.sh [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/demix.sh" --recipe_dir "$here" \
    --corpus mini \
    --corpus_dir downloads/mini \
    --test_share 0.25 \
    --conditions "snr-5 snr0 snr5" \
    "$@"
