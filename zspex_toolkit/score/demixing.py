"""Score de-mixing networks, and what they are compared with, on sets of mixtures."""

from __future__ import annotations

import dataclasses
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zspex_toolkit.data.embeddings import read_embeddings
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.errors import UserError
from zspex_toolkit.extract.embeddings import embed
from zspex_toolkit.io.atomic import write_json
from zspex_toolkit.io.revision import current_commit
from zspex_toolkit.metrics.bootstrap_interval import bootstrap_interval
from zspex_toolkit.metrics.cosine_similarity import cosine_similarity
from zspex_toolkit.metrics.equal_error_rate import equal_error_rate
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.score.mixtures import MixtureSet, load_mixtures, source_utterances
from zspex_toolkit.signal.front_end import FrontEnd, FrontEndConfig
from zspex_toolkit.simulation.plan import Passage, Piece, Plan
from zspex_toolkit.simulation.render import render
from zspex_toolkit.tasks.classification import load_classifier
from zspex_toolkit.tasks.demixing import load_network
from zspex_toolkit.tasks.embedding import load_embedder
from zspex_toolkit.train.device import resolve_device


class EmbeddingScorer:
    """The frozen classifier B and the clean embeddings of the speakers it knows.

    Args:
        classifier: experiment of B.
        clean_speakers: ``spk_xvector.scp`` of the same speakers.

    Raises:
        UserError: if the two know different speakers.
    """

    def __init__(self, classifier: Path, clean_speakers: Path):
        spec, self._classifier = load_classifier(classifier)
        self.speakers, self.clean = read_embeddings(clean_speakers)
        if list(spec.speakers) != self.speakers:
            raise UserError(f"{classifier}: knows other speakers than {clean_speakers}; make both from one model")
        self._number = {spk: number for number, spk in enumerate(self.speakers)}

    def numbers(self, speakers: list[str], where: Path) -> np.ndarray:
        """Class of each speaker, (N,).

        Raises:
            UserError: for a speaker who was not trained on; names ``where``.
        """
        unknown = [spk for spk in speakers if spk not in self._number]
        if unknown:
            raise UserError(f"{where}: speaker '{unknown[0]}' is none of the {len(self.speakers)} training speakers")
        return np.array([self._number[spk] for spk in speakers])

    def score(self, estimates: Tensor, asked: np.ndarray) -> dict[str, Any]:
        """Scores of embeddings.

        Args:
            estimates: (N, D).
            asked: (N,) classes of the speakers who were asked for.

        Returns:
            ``num_trials``, ``accuracy`` of B with its 95 % interval (speakers are drawn, with all their trials),
            ``mean_cosine`` and ``mae`` to the clean embeddings, and ``equal_error_rate`` of verifying every estimate
            against every speaker by cosine: one target trial and K - 1 impostors each.

        Raises:
            UserError: if an embedding is not finite.
        """
        if not torch.isfinite(estimates).all():
            raise UserError(
                f"{int((~torch.isfinite(estimates)).any(1).sum())} of {len(estimates)} embeddings are not finite"
            )
        with torch.inference_mode():
            correct = self._classifier(estimates).argmax(1).numpy() == asked
        cosines = cosine_similarity(estimates.numpy()[:, None], self.clean.numpy()[None])  # (N, K)
        same = np.arange(len(self.speakers))[None] == asked[:, None]
        return {
            "num_trials": len(asked),
            "accuracy": float(correct.mean()),
            "accuracy_interval": [float(bound) for bound in bootstrap_interval(correct.astype(float), groups=asked)],
            "mean_cosine": float(cosines[same].mean()),
            "mae": float((estimates - self.clean[torch.from_numpy(asked)]).abs().mean()),
            "equal_error_rate": equal_error_rate(cosines.ravel(), same.ravel()),
        }


@dataclass(frozen=True)
class DemixersConfig:
    """Settings of score_demixers."""

    models: tuple[Path, ...]  # experiments of the networks; each gets its scores.json
    classifier: Path  # experiment of the classifier B
    clean_speakers: Path  # spk_xvector.scp: clean embedding of each speaker
    train_data: tuple[Path, ...]  # data directories of training mixtures
    test_data: tuple[Path, ...]  # data directories of test mixtures
    given: tuple[str, ...] = ()  # e1, e2 or both; those the network was trained for if none is named
    shuffle_known: bool = True  # add a control with the embedding of a speaker who is not in the mixture
    device: str = "auto"  # auto, cpu or cuda:N


def score_demixers(config: DemixersConfig) -> None:
    """Write ``scores.json`` into each model's folder: a row for each direction and set of mixtures."""
    scorer = EmbeddingScorer(config.classifier, config.clean_speakers)
    place = resolve_device(config.device)
    cache: dict[tuple, MixtureSet] = {}
    for model in config.models:
        spec, network = load_network(model)
        network.to(place)
        facts = _facts(model, network)
        rows = []
        for direction in _directions(config.given or (spec.given,)):
            for part, path in [*(("train", p) for p in config.train_data), *(("test", p) for p in config.test_data)]:
                key = (path, direction, part, repr(spec.embedder.front_end))
                if key not in cache:
                    cache[key] = load_mixtures(path, spec.embedder.front_end, direction, part)
                mixtures = cache[key]
                rows.append(_score(network, mixtures, scorer, place) | {"function": spec.demixer} | facts)
                if config.shuffle_known and part == "test" and len(scorer.speakers) > 2:
                    control = {"function": spec.demixer, "control": "shuffled_known"}
                    rows.append(_score(network, mixtures, scorer, place, shuffled=True) | control | facts)
        write_json(model / "scores.json", rows)
        _announce(model / "scores.json", rows)


@dataclass(frozen=True)
class BaselinesConfig:
    """Settings of score_baselines."""

    embedder: Path  # experiment of the embedder A
    classifier: Path  # experiment of the classifier B
    clean_speakers: Path  # spk_xvector.scp: clean embedding of each speaker
    train_data: tuple[Path, ...]  # data directories of training mixtures
    test_data: tuple[Path, ...]  # data directories of test mixtures
    clean_train_data: Path  # data directory of the utterances in the training mixtures
    clean_test_data: Path  # data directory of the utterances in the test mixtures
    out: Path  # gets <condition>/scores.json
    given: tuple[str, ...] = ("e2", "e1")  # directions to score
    device: str = "auto"  # auto, cpu or cuda:N


def score_baselines(config: BaselinesConfig) -> None:
    """Write ``out/<condition>/scores.json``: `before` (B on the mixture's embedding) and `clean` (B on the clean
    signal's), for each direction, and a control of the harness.

    The control `oracle`, on test sets: each utterance is mixed with itself by the code that makes mixtures, its
    features are made anew, and a network that embeds just what it hears is scored on them. It must agree with `clean`.
    """
    scorer = EmbeddingScorer(config.classifier, config.clean_speakers)
    place = resolve_device(config.device)
    spec, network = load_embedder(config.embedder)
    network.to(place)

    def oracle(feats: Tensor, num_frames: Tensor | None, known: Tensor) -> Tensor:
        return network(feats, num_frames)  # whoever is known: what is heard is the answer alone

    facts = _facts(config.embedder, network)
    rows: dict[str, list[dict[str, Any]]] = {}
    parts = (("train", config.train_data, config.clean_train_data), ("test", config.test_data, config.clean_test_data))
    for part, paths, clean_path in parts:
        clean = StoredFeatures(clean_path, spec.front_end)
        vectors = embed(network, [clean[utt] for utt in clean.utterances], device=place, title=f"embed {clean_path}")
        position = {utt: number for number, utt in enumerate(clean.utterances)}
        doubled = mixed_with_themselves(clean_path, spec.front_end) if part == "test" else {}
        for path in paths:
            for direction in _directions(config.given):
                mixtures = load_mixtures(path, spec.front_end, direction, part)
                asked = scorer.numbers(mixtures.asked, path)
                sources = source_utterances(mixtures, clean.data)
                lines = [
                    scorer.score(embed(network, mixtures.feats, device=place), asked) | {"function": "before"},
                    scorer.score(vectors[[position[utt] for utt in sources]], asked) | {"function": "clean"},
                ]
                if part == "test":
                    alone = dataclasses.replace(mixtures, feats=[doubled[utt] for utt in sources])
                    control = {"function": "clean", "control": "oracle"}
                    lines.append(_score(oracle, alone, scorer, place) | control)
                name = mixtures.row["condition"]
                rows.setdefault(name, []).extend(line | mixtures.row | facts for line in lines)
    for name, lines in rows.items():
        write_json(config.out / name / "scores.json", lines)
        _announce(config.out / name / "scores.json", lines)


def mixed_with_themselves(data: Path, front_end: FrontEndConfig) -> dict[str, Tensor]:
    """Features (L, F) of every utterance after it was mixed with itself at 0 dB, at half level: the utterance again."""
    waveforms = Waveforms(data, front_end.mfcc.fs)
    extract = FrontEnd(front_end)
    feats = {}
    for utt in waveforms.utterances:
        samples = waveforms[utt]
        source = Passage(waveforms.utt2spk[utt], (Piece(utt, 0, len(samples)),), len(samples), gain=1.0)
        plan = Plan(f"{utt}_{utt}", (source, source), 0.0, waveforms.fs, len(samples), seed=0, gain=0.5)
        mixture = render(plan, waveforms.part).mixture
        feats[utt] = extract(torch.from_numpy(mixture)[None])[0][0]
    return feats


def shuffled_speakers(mixtures: MixtureSet, speakers: list[str]) -> list[str]:
    """For each mixture a random speaker who is not in it; the same for every network."""
    strangers = []
    for name, asked, known in zip(mixtures.names, mixtures.asked, mixtures.known, strict=True):
        others = [spk for spk in speakers if spk not in (asked, known)]
        strangers.append(others[rng_for(0, "stranger", name).integers(len(others))])
    return strangers


def _score(
    network: Callable[..., Tensor],
    mixtures: MixtureSet,
    scorer: EmbeddingScorer,
    place: torch.device,
    *,
    shuffled: bool = False,
) -> dict[str, Any]:
    start = time.monotonic()
    known = shuffled_speakers(mixtures, scorer.speakers) if shuffled else mixtures.known
    vectors = scorer.clean[torch.from_numpy(scorer.numbers(known, mixtures.path))]
    title = f"score {mixtures.path.name} given {mixtures.row['given']}"
    estimates = embed(network, mixtures.feats, device=place, known=vectors, title=title)
    try:
        scores = scorer.score(estimates, scorer.numbers(mixtures.asked, mixtures.path))
    except UserError as error:
        raise UserError(f"{mixtures.path}: {error}") from error
    return scores | mixtures.row | {"seconds": round(time.monotonic() - start, 3)}


def _directions(given: tuple[str, ...]) -> list[str]:
    return [direction for name in given for direction in (("e2", "e1") if name == "both" else (name,))]


def _facts(model: Path, network: nn.Module) -> dict[str, Any]:
    return {
        "config_hash": hashlib.sha256((model / "config.yaml").read_bytes()).hexdigest()[:12],
        "num_parameters": sum(parameter.numel() for parameter in network.parameters()),
        "commit": current_commit(),
    }


def _announce(path: Path, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        what = f"{row['function']}{' (' + row['control'] + ')' if 'control' in row else ''}"
        low, high = np.array(row["accuracy_interval"]) * 100
        print(
            f"{path}: {what}, given {row['given']}, {row['condition']}, {row['set']}: {100 * row['accuracy']:.1f} % "
            f"[{low:.1f}, {high:.1f}] of {row['num_trials']}, cosine {row['mean_cosine']:.3f}",
            flush=True,
        )
