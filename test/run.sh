#!/usr/bin/env bash
# Set up all that is needed and run every check: linters, then the tests.
#
#   test/run.sh [--fast] [PYTEST ARGUMENT...]      --fast leaves out the slow tests
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# shellcheck source-path=SCRIPTDIR source=../egs/common/path.sh
. egs/common/path.sh

selection=()
if [[ ${1-} == --fast ]]; then
    selection=(-m "not slow")
    shift
fi

echo "ruff and shellcheck"
ruff check .
ruff format --check .
find .ci egs tools test zspex_toolkit -path tools/venv -prune -o -type f '(' -name '*.sh' -o -path .ci/run ')' -print0 |
    xargs -0 shellcheck --external-sources
echo "pytest"
# One more than there are processors, for the tests that wait.
workers=$(($(env -u OMP_NUM_THREADS nproc) + 1))
python -m pytest -n "$workers" --dist loadfile --timeout 1800 "${selection[@]}" "$@" test zspex_toolkit
