"""The figures of an extraction experiment: t-SNE of speaker embeddings, learning curves."""

from __future__ import annotations

from pathlib import Path

from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.report.colours import save_figure
from zspex_toolkit.report.extraction_curves import has_curve, learning_curves
from zspex_toolkit.report.extraction_page import Picture
from zspex_toolkit.report.extraction_scores import Scored
from zspex_toolkit.report.extraction_tsne import Panel, XvectorOfWaveform, build_panels, choose_trials, embed_sources
from zspex_toolkit.report.extraction_tsne_figure import tsne_figure
from zspex_toolkit.report.trainings import Training

REFERENCE = "reference"  # the "system" whose output is the ground truth


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
    return build_panels(embed_sources(sources, trials, XvectorOfWaveform(embedder)), seed=seed), notes


def draw_tsne(panels: list[Panel], set_labels: dict[str, str], path: Path) -> Picture:
    """Write the t-SNE."""
    save_figure(tsne_figure(panels, set_labels), path)
    first = {panel.set: panel.speakers for panel in panels}
    counts = [
        f"{len(set(speakers))} {set_labels.get(name, name)} with {speakers.count(speakers[0])} trials each"
        for name, speakers in first.items()
    ]
    caption = (
        "t-SNE of the toolkit's x-vectors of extracted speech and of the ground truth: "
        f"{', '.join(counts)}; one coordinate scale for all panels. "
        "Above each panel, from the embeddings themselves: the share that is nearest to the mean of its own "
        "speaker's others, and the mean silhouette by cosine distance."
    )
    return Picture("Speaker embeddings", path, caption)


def draw_curves(trainings: dict[str, Training], path: Path) -> Picture | None:
    """Write the learning curves; None if no training has any."""
    drawn = {system: training for system, training in trainings.items() if has_curve(training)}
    if not drawn:
        return None
    save_figure(learning_curves(drawn), path)
    terms = ", its terms before they are weighted," if any(training.terms for training in drawn.values()) else ""
    caption = f"Training loss{terms} and SI-SDR improvement on the validation trials, after every epoch."
    return Picture("Learning curves", path, caption)
