#!/usr/bin/env bash
# Target speaker extraction on the self-made corpus of synthetic voices: no download, every stage in minutes.
#   egs/mini/tse1/run.sh [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/tse.sh" --recipe_dir "$here" \
    --corpus mini \
    --systems "band_split spex_plus zspex" \
    --corpus_dir downloads/mini \
    --corpus_options "{num_speakers: 300, num_utterances: 8}" \
    --test_speakers 8 \
    --dev_per_speaker 2 \
    --dev_speakers 16 \
    "$@"
