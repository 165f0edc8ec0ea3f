#!/usr/bin/env bash
# Target speaker extraction on speechocean762: real speech, free (OpenSLR 101); speakers of the test are not trained on.
#   egs/speechocean762/tse1/run.sh --corpus_dir DIR [--stage N] ...      (--help lists all options)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
exec "$here/../../common/tse.sh" --recipe_dir "$here" \
    --corpus speechocean762 \
    --corpus_options "{own_sets: true}" \
    --corpus_sets "train test" \
    --dev_per_speaker 2 \
    --trial_list conf/trials_test.jsonl \
    "$@"
