"""One extraction, or a list of many: a failure of one does not lose the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path

from zspex_toolkit.config import split_names
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.extract.clue_sources import CLUE, clue_of
from zspex_toolkit.extract.extractor import Extractor
from zspex_toolkit.extract.recording import Extracted, OutputOptions, extract_recording, to_stderr
from zspex_toolkit.extract.separation import CHUNK_S
from zspex_toolkit.models.clue import Clue

_CLUES_KEPT = 64  # of a list; one of frames takes as much memory as a short recording


@dataclass(frozen=True)
class Job:
    """One extraction.

    Attributes:
        where: ``file:line`` of the list, empty without one.
        mixture: recording.
        enrollments: recordings of the speaker, or ``clue:`` and where a clue lies.
        output: file to write.
    """

    where: str
    mixture: str
    enrollments: tuple[str, ...]
    output: Path


def read_jobs(path: Path) -> list[Job]:
    """The jobs of a list: ``mixture``, ``enrollment`` (several: ``a.wav,b.wav``) and ``output`` a line, tabs between.

    In the place of an enrollment may stand a clue, ``clue:me.clue``; see :func:`~.clue_sources.read_clue`.

    Empty lines and those that begin with ``#`` are passed over.

    Raises:
        UserError: naming file and line, for a line of another form, or an output that is written twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
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
        job = Job(where, fields[0], tuple(split_names(fields[1])), Path(fields[2]))
        if job.output.resolve() in seen:
            raise UserError(f"{where}: {job.output} is the output of {seen[job.output.resolve()]} too")
        seen[job.output.resolve()] = where
        jobs.append(job)
    if not jobs:
        raise UserError(f"{path}: holds no job; expected mixture, enrollment and output a line, tabs between")
    return jobs


@dataclass(frozen=True)
class Config:
    """Settings of extract."""

    model: Path | None = None  # folder of a trained extractor, or a name of zspex models; unset: the default of those
    mixture: str | None = None  # recording in which several people speak
    enrollment: tuple[str, ...] = ()  # recordings of the speaker alone, a.wav,b.wav; several are joined
    clue: tuple[str, ...] = ()  # instead: me.clue of zspex enroll, or an embedding: e.npy, e.ark:15, xvector.scp:key
    output: Path | None = None  # file to write (.wav or .flac), as long as the mixture and at its rate
    list: Path | None = None  # many jobs instead: mixture, enrollment (or clue:me.clue) and output a line, tabs between
    device: str = "auto"  # auto, cpu or cuda:N
    channels: str = "mono"  # of the output: mono (the mean of all channels) or each (every channel by itself)
    normalize_output: str = "mixture"  # mixture (as loud as in it), peak (a peak of 0.9) or none (the network's level)
    sample_format: str = "int16"  # int16, int24 or float32
    chunk_s: float = CHUNK_S  # longest part that the network sees at once, in seconds


def extract(config: Config) -> None:
    """Extract a speaker from one mixture, or do all jobs of a list; say for each whether the speaker is there.

    Raises:
        UserError: if the job fails, or at the end if one or more of the list have failed.
    """
    options = OutputOptions(config.channels, config.normalize_output, config.sample_format, config.chunk_s)
    jobs = _jobs(config)
    _check_outputs(jobs, options)
    extractor = Extractor.load(config.model, device=config.device)
    if extractor.calibration is None:
        to_stderr("presence unknown: this model was not calibrated for it, see calibrate_presence")
    if config.list is None:
        _extract(extractor, jobs, [clue_of(extractor, jobs[0].enrollments)], options)
        return
    failed = run_jobs(extractor, jobs, options)
    print(f"{config.list}: {len(jobs)} jobs in, {len(jobs) - len(failed)} done, {len(failed)} failed")
    if failed:
        raise UserError(f"{len(failed)} of {len(jobs)} jobs failed: {', '.join(failed)}")


def run_jobs(extractor: Extractor, jobs: Sequence[Job], options: OutputOptions) -> list[str]:
    """Do the jobs, those of one mixture that follow each other together; where each that failed stands in the list."""
    failed: list[str] = []
    clue = lru_cache(_CLUES_KEPT)(partial(clue_of, extractor))  # of enrollments that several jobs share

    def attempt(group: Sequence[Job]) -> None:
        try:
            _extract(extractor, group, [clue(job.enrollments) for job in group], options)
        except (UserError, OSError) as error:
            if len(group) > 1:  # one of them must not lose the others
                for job in group:
                    attempt([job])
                return
            to_stderr(f"{group[0].where}: {error}")
            failed.append(group[0].where)

    for _, group in groupby(jobs, key=lambda job: job.mixture):
        attempt([*group])
    return failed


def _jobs(config: Config) -> list[Job]:
    enrollments = (*config.enrollment, *(CLUE + one for one in config.clue))
    given = {"--mixture": config.mixture, "--enrollment or --clue": enrollments, "--output": config.output}
    if config.list is not None:
        if any(given.values()):
            raise ConfigError("expected either --list or --mixture, --enrollment and --output, got both")
        return read_jobs(config.list)
    missing = [name for name, value in given.items() if not value]
    if missing:
        raise ConfigError(f"expected {', '.join(missing)} too, or --list with many jobs")
    return [Job("", config.mixture, enrollments, config.output)]


def _check_outputs(jobs: Sequence[Job], options: OutputOptions) -> None:
    """Refuse outputs of no known format, and those that would overwrite a recording of any job."""
    sources = (source.removeprefix(CLUE) for job in jobs for source in (job.mixture, *job.enrollments))
    inputs = {Path(source).resolve() for source in sources}
    for job in jobs:
        where = f"{job.where}: " if job.where else ""
        try:
            options.check(job.output)
        except ConfigError as error:
            raise ConfigError(f"{where}{error}") from error
        if job.output.resolve() in inputs:
            raise UserError(f"{where}{job.output}: is a recording to read; give the output another name")


def _extract(extractor: Extractor, jobs: Sequence[Job], clues: Sequence[Clue], options: OutputOptions) -> None:
    """Jobs of one mixture."""
    outputs = [job.output for job in jobs]
    extracted = extract_recording(extractor, jobs[0].mixture, Clue.cat(clues), outputs, options)
    for job, one in zip(jobs, extracted, strict=True):
        print(_line(job, one), flush=True)


def _line(job: Job, extracted: Extracted) -> str:
    presence = "unknown" if extracted.presence is None else f"{extracted.presence:.3f}"
    return f"{job.output}: {extracted.seconds:.2f} s, presence {presence}"
