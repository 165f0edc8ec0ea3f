"""Plan the mixtures of a data directory, gains and all, so that rendering only has to read, scale and add."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.infer.plan_set import check_out, fit_utterances, write_plan
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Mixing, draw_mixture
from zspex_toolkit.simulation.plan import Plan
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
) -> None:
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
    pool, dropped = fit_utterances(speech, min_utt_s, num_speakers, nj)
    draw = partial(_draw, pool=pool, mixing=dataclasses.replace(mixing, **speech.surroundings()))
    _, count, told = write_plan(Path(out), speech, draw, pool.utterances, dropped, nj)
    print(f"{out}: {len(speech.utterances.utterances)} utterances in, {count} mixtures planned, {told}")


def _draw(utt: str, *, pool: Pool, mixing: Mixing) -> list[Plan]:
    """The plan of an utterance's mixture, without gains: with one seed the partners are the same at every SNR."""
    return [draw_mixture(rng_for(mixing.seed, "mixture", utt), utt, pool, mixing)]
