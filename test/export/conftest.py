"""Fixtures that the rooms share."""

from support.fixtures import jobs_in_process, speech_dir, trial_dir  # noqa: F401
