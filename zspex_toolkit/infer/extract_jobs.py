"""One extraction, or a list of many: a failure of one does not lose the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.infer.extract_recording import (
    Extracted,
    OutputOptions,
    embed_recordings,
    extract_recording,
    to_stderr,
)
from zspex_toolkit.infer.extractor import Extractor


@dataclass(frozen=True)
class Job:
    """One extraction.

    Attributes:
        where: ``file:line`` of the list, empty without one.
        mixture: recording.
        enrollments: recordings of the speaker.
        output: file to write.
    """

    where: str
    mixture: str
    enrollments: tuple[str, ...]
    output: Path


def read_jobs(path: Path) -> list[Job]:
    """The jobs of a list: ``mixture``, ``enrollment`` (several: ``a.wav,b.wav``) and ``output`` a line, tabs between.

    Empty lines and those that begin with ``#`` are passed over.

    Raises:
        UserError: naming file and line, for a line of another form, or an output that is written twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) else "not a text file"
        raise UserError(f"{path}: cannot read the list: {reason}") from error
    jobs: list[Job] = []
    seen: dict[Path, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        where, fields = f"{path}:{number}", [field.strip() for field in line.split("\t")]
        if len(fields) != 3 or not all(fields):
            raise UserError(f"{where}: expected mixture, enrollment and output with tabs between, got {line!r}")
        job = Job(where, fields[0], tuple(one.strip() for one in fields[1].split(",")), Path(fields[2]))
        if job.output.resolve() in seen:
            raise UserError(f"{where}: {job.output} is the output of {seen[job.output.resolve()]} too")
        seen[job.output.resolve()] = where
        jobs.append(job)
    if not jobs:
        raise UserError(f"{path}: holds no job; expected mixture, enrollment and output a line, tabs between")
    return jobs


def extract(
    model: Path | None,
    mixture: str | None,
    enrollment: Sequence[str],
    output: Path | None,
    list: Path | None,
    device: str = "auto",
    **options: object,
) -> None:
    """Extract a speaker from one mixture, or do all jobs of a list; say for each whether the speaker is there.

    Args:
        model: folder of a trained extractor; the one that is shipped if None.
        mixture, enrollment, output: the one job.
        list: many jobs, see :func:`read_jobs`, instead.
        device: auto, cpu or cuda:N.
        options: fields of :class:`OutputOptions`.

    Raises:
        UserError: if the job fails, or at the end if one or more of the list have failed.
    """
    output_options = OutputOptions(**options)
    jobs = _jobs(mixture, enrollment, output, list)
    _check_outputs(jobs, output_options)
    extractor = Extractor.load(model, device=device)
    if extractor.calibration is None:
        to_stderr("presence unknown: this model was not calibrated for it, see calibrate_presence")
    if list is None:
        print(_line(jobs[0], _extract(extractor, jobs[0], output_options, {})))
        return
    failed = run_jobs(extractor, jobs, output_options)
    print(f"{list}: {len(jobs)} jobs in, {len(jobs) - len(failed)} done, {len(failed)} failed")
    if failed:
        raise UserError(f"{len(failed)} of {len(jobs)} jobs failed: {', '.join(failed)}")


def run_jobs(extractor: Extractor, jobs: Sequence[Job], options: OutputOptions) -> list[str]:
    """Do the jobs one by one; where each that failed stands in the list."""
    failed = []
    embeddings: dict[tuple[str, ...], np.ndarray] = {}
    for job in jobs:
        try:
            print(_line(job, _extract(extractor, job, options, embeddings)), flush=True)
        except (UserError, OSError) as error:
            to_stderr(f"{job.where}: {error}")
            failed.append(job.where)
    return failed


def _jobs(mixture: str | None, enrollment: Sequence[str], output: Path | None, path: Path | None) -> list[Job]:
    given = {"--mixture": mixture, "--enrollment": enrollment, "--output": output}
    if path is not None:
        if any(given.values()):
            raise ConfigError("expected either --list or --mixture, --enrollment and --output, got both")
        return read_jobs(path)
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise ConfigError(f"expected {', '.join(missing)} too, or --list with many jobs")
    return [Job("", mixture, tuple(enrollment), output)]


def _check_outputs(jobs: Sequence[Job], options: OutputOptions) -> None:
    """Refuse outputs of no known format, and those that would overwrite a recording of any job."""
    inputs = {Path(source).resolve() for job in jobs for source in (job.mixture, *job.enrollments)}
    for job in jobs:
        where = f"{job.where}: " if job.where else ""
        try:
            options.check(job.output)
        except ConfigError as error:
            raise ConfigError(f"{where}{error}") from error
        if job.output.resolve() in inputs:
            raise UserError(f"{where}{job.output}: is a recording to read; give the output another name")


def _extract(
    extractor: Extractor, job: Job, options: OutputOptions, embeddings: dict[tuple[str, ...], np.ndarray]
) -> Extracted:
    """``embeddings`` keeps those of enrollments that several jobs share."""
    if job.enrollments not in embeddings:
        embeddings[job.enrollments] = embed_recordings(extractor, job.enrollments)
    return extract_recording(extractor, job.mixture, embeddings[job.enrollments], job.output, options)


def _line(job: Job, extracted: Extracted) -> str:
    presence = "unknown" if extracted.presence is None else f"{extracted.presence:.3f}"
    return f"{job.output}: {extracted.seconds:.2f} s, presence {presence}"
