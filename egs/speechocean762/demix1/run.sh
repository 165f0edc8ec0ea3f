#!/usr/bin/env bash
# Speaker embedding de-mixing on speechocean762: real speech of 250 speakers, free (OpenSLR 101).
#   egs/speechocean762/demix1/run.sh --corpus_dir DIR [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/demix.sh" --recipe_dir "$here" \
    --corpus speechocean762 \
    --test_share 0.25 \
    --conditions "snr-5 snr0 snr5" \
    "$@"
