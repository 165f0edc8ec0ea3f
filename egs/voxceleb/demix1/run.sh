#!/usr/bin/env bash
# Speaker embedding de-mixing on VoxCeleb.
#   egs/voxceleb/demix1/run.sh --corpus_dir DIR [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/demix.sh" --recipe_dir "$here" \
    --corpus voxceleb \
    --test_share 0.25 \
    --conditions "snr-5 snr0 snr5" \
    "$@"
