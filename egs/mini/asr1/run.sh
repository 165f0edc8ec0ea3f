#!/usr/bin/env bash
# Speech recognition on the self-made corpus of synthetic voices: no download, every stage in minutes.
#   egs/mini/asr1/run.sh [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/asr.sh" --recipe_dir "$here" \
    --corpus mini \
    --corpus_dir downloads/mini \
    --corpus_options "{num_speakers: 120, num_utterances: 12}" \
    --test_speakers 16 \
    --dev_speakers 8 \
    --token_kind bpe \
    --vocabulary 300 \
    "$@"
