"""Speaker embeddings of extracted speech: do the speakers stay apart?

For 6 speakers of each set and 30 of their trials, the toolkit's x-vector of what every system extracted and of the
reference. All are placed by one t-SNE, so that every panel has the same coordinates; the two figures of a panel are
computed from the embeddings themselves, because a t-SNE keeps no distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score

from zspex_toolkit.errors import AudioError
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.randomness import rng_for
from zspex_toolkit.report.extraction.scores import Scored
from zspex_toolkit.signal.front_end import FrontEnd
from zspex_toolkit.tasks.embedding import load_embedder

NUM_SPEAKERS, NUM_TRIALS = 6, 30
REFERENCE = "reference"  # the "system" whose output is the ground truth


@dataclass(frozen=True)
class Panel:
    """The embeddings that one system's output gives for one set."""

    system: str  # or REFERENCE
    set: str
    speakers: list[str]  # (n,) of every embedding
    embeddings: np.ndarray  # (n, D) of length 1
    places: np.ndarray  # (n, 2) in the plane
    silhouette: float  # mean over embeddings, cosine distance, -1..1
    nearest_centroid: float  # share nearest to the mean of the others of their own speaker, 0..1

    def facts(self) -> dict[str, Any]:
        """For machines."""
        return {
            "system": self.system,
            "set": self.set,
            "num_speakers": len(set(self.speakers)),
            "num_embeddings": len(self.speakers),
            "silhouette": self.silhouette,
            "nearest_centroid": self.nearest_centroid,
        }


def tsne_panels(
    exp: Path, data: Path, embedder: Path, scored: list[Scored], sets: tuple[str, ...], systems: list[str], *, seed: int
) -> tuple[list[Panel], list[str]]:
    """The panels of all sets and systems and of the ground truth, and a line for each that cannot be drawn.

    Args:
        exp: experiment with ``<system>/extracted/<set>/``.
        data: folder with ``trials_<set>/``.
        embedder: experiment of the x-vector.
        scored: scores, which tell the speakers of the trials.
        sets: unseen, then seen speakers.
        systems: columns, in their order.
        seed: of the choice of speakers and of the t-SNE.
    """
    if not (embedder / "model.yaml").exists():
        return [], [f"no t-SNE: no embedder in {embedder}"]
    notes, sources, trials = [], {}, {}
    for name in sets:
        of_set = {one.system: one for one in scored if one.set == name}
        chosen = choose_trials(of_set[systems[0]], seed=seed) if set(systems) <= of_set.keys() else {}
        if not chosen:
            notes.append(f"no t-SNE of the set '{name}': not every system was scored on it, or it has too few trials")
            continue
        trials[name] = chosen
        for system in systems:
            sources[system, name] = DataDir.load(exp / system / "extracted" / name)
        given = DataDir.load(data / f"trials_{name}")
        sources[REFERENCE, name] = DataDir(given.path, given.utt2spk, given.spk2utt, given.table("spk1.scp"), None)
    if not sources:
        return [], notes
    return build_panels(embed_sources(sources, trials, embedder), seed=seed), notes


def choose_trials(scored: Scored, *, seed: int = 0) -> dict[str, list[str]]:
    """Trials of six speakers, as many of each gender as there can be, the same number of each speaker, at most 30.

    Returns:
        speaker -> trial ids; empty if fewer than two speakers have two trials.
    """
    of_speaker: dict[str, list[str]] = {}
    genders = {}
    for utt, trial in sorted(scored.trials.items()):
        if trial["condition"] == "present":
            of_speaker.setdefault(trial["target"], []).append(utt)
            genders[trial["target"]] = trial.get("target_gender")
    rng = rng_for(seed, "t-SNE", scored.set)
    order = [str(spk) for spk in rng.permutation(sorted(of_speaker))]
    order.sort(key=lambda spk: -min(len(of_speaker[spk]), NUM_TRIALS))  # stable: drawn order among the equally rich
    rank = {spk: [other for other in order if genders[other] == genders[spk]].index(spk) for spk in order}
    full = [spk for spk in order if len(of_speaker[spk]) >= NUM_TRIALS]
    pool = sorted(full, key=lambda spk: rank[spk]) if len(full) >= NUM_SPEAKERS else order
    chosen = sorted(pool[:NUM_SPEAKERS])
    size = min((len(of_speaker[spk]) for spk in chosen), default=0)
    if len(chosen) < 2 or size < 2:
        return {}
    return {
        spk: sorted(rng.permutation(of_speaker[spk])[: min(size, NUM_TRIALS)].tolist(), key=str.encode)
        for spk in chosen
    }


@torch.inference_mode()
def embed_sources(
    sources: dict[tuple[str, str], DataDir], trials: dict[str, dict[str, list[str]]], embedder: Path
) -> dict[tuple[str, str], tuple[list[str], np.ndarray]]:
    """Speakers (n,) and embeddings (n, D), of length 1 each, of each (system, set).

    Args:
        sources: the audio of each (system, set).
        trials: set -> speaker -> trial ids, from :func:`choose_trials`.
        embedder: experiment of the x-vector.

    Raises:
        UserError: if the embedder is missing, unfinished or broken.
        AudioError: for audio of another rate than the embedder's.
    """
    spec, network = load_embedder(embedder)
    front_end, found = FrontEnd(spec.front_end), {}
    for (system, name), data in sources.items():
        speakers, vectors = [], []
        for spk, utt in ((spk, utt) for spk, utts in trials[name].items() for utt in utts):
            try:
                samples, _ = data.read_audio(utt, fs=spec.front_end.mfcc.fs)
                vectors.append(network(*front_end(torch.from_numpy(samples)[None]))[0].numpy())
            except ValueError as error:
                raise AudioError(f"{data.path}: cannot embed: {error}") from error
            speakers.append(spk)
        found[system, name] = speakers, np.stack([v / max(float(np.linalg.norm(v)), 1e-12) for v in vectors])
    return found


def build_panels(embedded: dict[tuple[str, str], tuple[list[str], np.ndarray]], *, seed: int = 0) -> list[Panel]:
    """Places of all embeddings in one plane, and how well the speakers of each panel stay apart."""
    vectors = np.concatenate([vectors for _, vectors in embedded.values()])
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    plane = TSNE(perplexity=perplexity, init="pca", random_state=seed, n_jobs=1).fit_transform(vectors)
    ends = np.cumsum([len(speakers) for speakers, _ in embedded.values()])
    return [
        Panel(
            *(system, name, speakers, own, places),
            silhouette=float(silhouette_score(own, speakers, metric="cosine")),
            nearest_centroid=nearest_centroid_accuracy(own, speakers),
        )
        for ((system, name), (speakers, own)), places in zip(embedded.items(), np.split(plane, ends[:-1]), strict=True)
    ]


def nearest_centroid_accuracy(embeddings: np.ndarray, speakers: list[str]) -> float:
    """Share of embeddings whose nearest speaker, by cosine to the mean of its other embeddings, is their own.

    >>> nearest_centroid_accuracy(np.array([[1., 0], [1, .1], [0, 1], [.1, 1], [0, 1]]), list("aabba"))
    0.8
    """
    labels, index = np.unique(speakers, return_inverse=True)
    sums = np.stack([embeddings[index == spk].sum(0) for spk in range(len(labels))])  # (S, D)
    others = np.repeat(sums[None], len(embeddings), axis=0)  # (n, S, D)
    others[np.arange(len(embeddings)), index] -= embeddings  # an embedding is no witness for itself
    norms = np.maximum(np.linalg.norm(others, axis=2), 1e-12)
    cosines = np.einsum("nsd,nd->ns", others, embeddings) / norms
    return float((cosines.argmax(1) == index).mean())
