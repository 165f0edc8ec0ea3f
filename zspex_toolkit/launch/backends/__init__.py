"""Where jobs run: one file a back end, each exporting ``run(jobs) -> list of the failed jobs' numbers``."""
