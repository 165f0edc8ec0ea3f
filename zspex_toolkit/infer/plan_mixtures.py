"""Plan the mixtures of a data directory, gains and all, so that rendering only has to read, scale and add."""

from __future__ import annotations

import dataclasses
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from zspex_toolkit.errors import ConfigError, DataDirError
from zspex_toolkit.infer.map_in_processes import map_in_processes
from zspex_toolkit.infer.render_mixtures import forget_rendering
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.io.table import write_table
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.signal.level import power
from zspex_toolkit.simulation.draw import Mixing, draw_mixture
from zspex_toolkit.simulation.levels import SilentSignalError
from zspex_toolkit.simulation.plan import Plan, to_text
from zspex_toolkit.simulation.pool import Pool
from zspex_toolkit.simulation.speech import Speech

LEVELS = ("all", "active")


def plan_data_dir(
    data: os.PathLike | str,
    out: os.PathLike | str,
    *,
    snr_db: Sequence[float] = (0.0,),
    num_speakers: int = 2,
    mode: str = "min",
    level: str = "all",
    min_utt_s: float = 0.5,
    speeds: Sequence[float] = (1.0,),
    noise_dir: os.PathLike | str | None = None,
    noise_snr_db: Sequence[float] = (5.0, 20.0),
    room_dir: os.PathLike | str | None = None,
    seed: int = 0,
    nj: int = 1,
) -> list[Plan]:
    """Write ``out/plan.jsonl``, one mixture for each utterance of ``data``, and ``out/dropped.txt`` if some have none.

    Args:
        data: data directory; both speakers of a mixture come from it.
        out: folder of the plan; ``render_mixtures`` makes it a data directory.
        snr_db: one ratio for all, or two to draw between.
        level: "all": powers over all overlapping samples; "active": over the voiced ones, by ``vad.scp``.
        min_utt_s: shorter utterances are dropped.
        noise_dir, room_dir: folders with recordings of noise and with impulse responses; none if None.
        num_speakers, mode, speeds, noise_snr_db: as in :class:`~zspex_toolkit.simulation.draw.Mixing`.
        seed: the plan follows from it, the options and ``data``.
        nj: number of processes.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if ``data`` has too few speakers, utterances of several rates or such names that two mixtures
            have one id, or ``out`` is a data directory that no plan made.
        AudioError: if audio is missing or broken.
    """
    mixing = Mixing(
        tuple(snr_db),
        seed=seed,
        num_speakers=num_speakers,
        mode=mode,
        speeds=tuple(speeds),
        noise_snr_db=tuple(noise_snr_db),
    )
    if level not in LEVELS:
        raise ConfigError(f"level: expected one of {', '.join(LEVELS)}, got {level!r}")
    check_out(Path(out))
    speech = Speech.load(data, noise_dir, room_dir, active_level=level == "active")
    lengths, dropped = usable_utterances(speech, min_utt_s, nj)
    _check_speakers(speech, lengths, num_speakers, dropped)
    mixing = dataclasses.replace(mixing, **speech.surroundings())
    pool = Pool({utt: speech.utterances.utt2spk[utt] for utt in lengths}, lengths)
    plans = [draw_mixture(rng_for(seed, "mixture", utt), utt, pool, mixing) for utt in pool.utterances]
    _check_ids(plans)
    leveled = map_in_processes(partial(set_levels_of, speech), plans, nj, label="levels")
    dropped |= {plan.sources[0].pieces[0].utt: reason for plan, reason in leveled if reason}
    plans = [plan for plan, reason in leveled if not reason]
    _write(Path(out), plans, dropped)
    return plans


def usable_utterances(speech: Speech, min_utt_s: float, nj: int) -> tuple[dict[str, int], dict[str, str]]:
    """Lengths in samples of the utterances that can be mixed, and why each other one cannot."""
    utterances = speech.utterances.utterances
    found = map_in_processes(partial(_measure, speech), utterances, nj, label="utterances")
    fs, lengths, dropped = speech.fs, {}, {}
    for utt, (num_samples, rate, silent) in zip(utterances, found, strict=True):
        if rate != fs:
            raise DataDirError(
                f"{speech.utterances.path}: expected one rate, found {fs} Hz ({utterances[0]}) and {rate} Hz ({utt});"
                " resample first"
            )
        if num_samples < min_utt_s * fs:
            dropped[utt] = f"shorter than {min_utt_s:g} s ({num_samples / fs:.2f} s)"
        elif silent:
            dropped[utt] = silent
        else:
            lengths[utt] = num_samples
    return lengths, dropped


def _measure(speech: Speech, utt: str) -> tuple[int, int, str]:
    """Length in samples, rate, and why the utterance counts as silent ("" if it does not)."""
    samples, fs = speech.utterances.read_audio(utt)
    if not power(samples) > 0:
        return len(samples), fs, "silent"
    if speech.voiced is not None and not power(samples[speech.mask(utt, len(samples))]) > 0:
        return len(samples), fs, "no voiced frame"
    return len(samples), fs, ""


def _check_speakers(speech: Speech, utterances: Iterable[str], num_speakers: int, dropped: dict[str, str]) -> None:
    found = len({speech.utterances.utt2spk[utt] for utt in utterances})
    if found < num_speakers:
        raise DataDirError(
            f"{speech.utterances.path}: mixtures of {num_speakers} speakers need at least {num_speakers} speakers,"
            f" found {found}"
            + (f" ({len(dropped)} utterances dropped: {describe_reasons(dropped)})" if dropped else "")
        )


def _check_ids(plans: Sequence[Plan]) -> None:
    """An id is its utterances, joined by "_": `a_b` with `c` looks like `a` with `b_c`."""
    seen: dict[str, Plan] = {}
    for plan in plans:
        other = seen.setdefault(plan.id, plan)
        if other is not plan:
            pairs = " and of ".join(
                ", ".join(source.pieces[0].utt for source in each.sources) for each in (other, plan)
            )
            raise DataDirError(f"{plan.id}: id of the mixture of {pairs}; rename the utterances, without '_'")


def set_levels_of(speech: Speech, plan: Plan) -> tuple[Plan, str]:
    """The plan with its gains, and why it cannot be mixed ("" if it can)."""
    try:
        return speech.render(plan).plan, ""
    except SilentSignalError as fault:
        return plan, str(fault)


def check_out(out: Path) -> None:
    """Refuse to plan into a data directory that no plan made.

    Raises:
        DataDirError: if ``out`` is one.
    """
    if (out / "utt2spk").exists() and not (out / "plan.jsonl").exists():
        raise DataDirError(f"{out}: is a data directory of something else; give the mixtures a folder of their own")


def _write(out: Path, plans: list[Plan], dropped: dict[str, str]) -> None:
    if not plans:
        reasons = describe_reasons(dropped)
        raise DataDirError(f"{out}: no mixture is left, all {len(dropped)} utterances are dropped: {reasons}")
    write_plan_folder(out, [to_text(plans).encode()], dropped)
    print(
        f"{out}: {len(plans) + len(dropped)} utterances in, {len(plans)} mixtures planned, {len(dropped)} dropped",
        end="",
    )
    print(f" ({describe_reasons(dropped)}; see dropped.txt)" if dropped else "")


def write_plan_folder(out: Path, pieces: Iterable[bytes], dropped: Mapping[str, str]) -> None:
    """Write ``plan.jsonl``, unless it says the same already, and ``dropped.txt`` if anything was.

    Args:
        pieces: of the plan's text, which is gone through twice; what was rendered by another plan is forgotten.
        dropped: utterance or mixture to the reason.
    """
    path = out / "plan.jsonl"
    if not path.exists() or not _says(path, pieces):
        forget_rendering(out)
        with atomic_path(path) as temporary, temporary.open("wb") as stream:
            stream.writelines(pieces)
    (out / "dropped.txt").unlink(missing_ok=True)
    if dropped:
        write_table(out / "dropped.txt", dropped)


def _says(path: Path, pieces: Iterable[bytes]) -> bool:
    with path.open("rb") as stream:
        return all(stream.read(len(piece)) == piece for piece in pieces) and not stream.read(1)


def describe_reasons(dropped: Mapping[str, str]) -> str:
    """Counted by kind: "2 silent, 1 shorter than 0.5 s"."""
    kinds = Counter(reason.partition(" (")[0] for reason in dropped.values())
    return ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
