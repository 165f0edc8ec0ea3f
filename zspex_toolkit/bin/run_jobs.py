"""Run jobs on this machine or a cluster by Kaldi's contract, as ``run.pl`` or ``queue.pl`` would.

    python -m zspex_toolkit.bin.run_jobs --mem 4G JOB=1:4 exp/log/x.JOB.log my_program --part JOB

Options, with dashes or underscores, before or after ``JOB=...``: ``--backend local|slurm|sge``,
``--num_threads N``, ``--gpu N``, ``--mem 4G``, ``--time T``, ``--num_nodes N``, ``--name X``, ``--max_jobs_run K``,
``--num_tries N``, ``--requeue true|false``, ``--pick all|failed|incomplete``, ``--config FILE``, ``--dry_run``; see
docs/jobs.md.
Ends with 0 if all jobs did, 1 if one failed, 2 if it was told to stop.
"""

import sys

from zspex_toolkit.errors import UserError
from zspex_toolkit.launch.contract import parse
from zspex_toolkit.launch.interruption import InterruptedJobsError
from zspex_toolkit.launch.run_jobs import run_array


def main(argv=None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    if argv in (["--help"], ["-h"]):
        print(__doc__)
        return 0
    try:
        run_array(parse(argv))
    except InterruptedJobsError as fault:
        print(f"run_jobs: {fault}", file=sys.stderr)
        return 2
    except UserError as fault:
        print("\n".join(f"run_jobs: {line}" for line in str(fault).splitlines()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
