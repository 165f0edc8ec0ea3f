#!/usr/bin/env bash
# The ablation ladder: train the seven networks of conf/ladder under one budget, score them and print the table.
#   egs/speechocean762/tse1/ladder.sh --corpus_dir DIR [--train_args "--train.num_epochs 4"] ...      (as run.sh)
set -euo pipefail

here=$(dirname "${BASH_SOURCE[0]}")
rows="spex_plus shared_fuser scale_inter_fuser consm zspex unshared_fuser without_norm"
compared="spex_plus,shared_fuser,scale_inter_fuser,consm,zspex,unshared_fuser:zspex,without_norm:zspex"
exec "$here/run.sh" --exp_tag ladder --train_configs conf/ladder --systems "$rows" --test_sets test \
    --report_args "--audio false --ladder $compared" "$@"
