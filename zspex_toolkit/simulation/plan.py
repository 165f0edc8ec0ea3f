"""Plan a set of mixtures: every utterance once as target; a plan depends on neither order nor number of jobs."""

from __future__ import annotations

from collections.abc import Mapping

from zspex_toolkit.randomness import rng_for
from zspex_toolkit.simulation.draw import Pool, Range, draw_mixture
from zspex_toolkit.simulation.mixture_plan import MixturePlan


def plan_mixtures(
    utt2spk: Mapping[str, str],
    utt2num_samples: Mapping[str, int],
    *,
    snr_db: Range,
    fs: int,
    seed: int = 0,
    epoch: int | None = None,
    **options,
) -> list[MixturePlan]:
    """One mixture per utterance: it is the target, random utterances of random other speakers interfere.

    With the same seed the partners and stretches are the same at every SNR.

    Args:
        utt2spk: speaker of each utterance.
        utt2num_samples: its length in samples.
        snr_db: target over the sum of the interferers in dB, or a range to draw from.
        fs: rate of the utterances in Hz.
        seed: the set's seed.
        epoch: draw new partners for each epoch; None for a fixed set.
        options: of :func:`~zspex_toolkit.simulation.draw.draw_mixture`, such as ``num_speakers`` and ``mode``.

    Returns:
        Plans without gains, sorted by the bytes of their ids.

    Raises:
        ConfigError: if a setting is out of its range.
        DataDirError: if there are fewer speakers than a mixture has.
    """
    pool = Pool(utt2spk, utt2num_samples)
    keys = () if epoch is None else (epoch,)
    plans = [
        draw_mixture(rng_for(seed, "mixture", *keys, utt), utt, pool, snr_db=snr_db, fs=fs, seed=seed, **options)
        for utt in pool.utterances
    ]
    return sorted(plans, key=lambda plan: plan.id.encode())
