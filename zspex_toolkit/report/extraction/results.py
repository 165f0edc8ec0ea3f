"""The results of an extraction experiment: RESULTS.md, results.json, figures, and a page to listen to."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from zspex_toolkit.errors import ConfigError
from zspex_toolkit.io.atomic import write_json, write_text
from zspex_toolkit.report.extraction.cases import PlayedCase
from zspex_toolkit.report.extraction.curves import draw_curves
from zspex_toolkit.report.extraction.ladder import (
    Difference,
    Rung,
    build_ladder,
    differences,
    differences_table,
    ladder_facts,
    ladder_table,
)
from zspex_toolkit.report.extraction.page import Picture, write_page
from zspex_toolkit.report.extraction.provenance import (
    missing_trainings,
    scored_facts,
    set_table,
    training_facts,
    training_table,
    versions_line,
)
from zspex_toolkit.report.extraction.scores import MIXTURE, Scored, disagreements, read_extraction_scores
from zspex_toolkit.report.extraction.tables import condition_table, cost_table, group_tables, main_table
from zspex_toolkit.report.extraction.tsne import Panel, tsne_panels
from zspex_toolkit.report.extraction.tsne_figure import draw_tsne, panel_table
from zspex_toolkit.report.grid import Grid
from zspex_toolkit.report.provenance import environment, environment_lines
from zspex_toolkit.report.trainings import Training, read_training


@dataclass(frozen=True)
class Config:
    """Settings of report_extraction."""

    exp: Path  # experiment with mixture/<set>/ and <system>/scores/<set>/
    out: Path  # folder for RESULTS.md, results.json, page.html and the figures
    corpus: str  # name of the corpus
    data: Path = Path("data")  # folder with the trials: trials_<set>/
    systems: tuple[str, ...] = ()  # systems in the order of the tables; empty: all that were scored
    ladder: tuple[
        str, ...
    ] = ()  # systems of the ablation ladder, each compared with the one before; a:b compares a with b
    page_systems: tuple[str, ...] = ()  # systems to hear and in the t-SNE; empty: those that stand in no ladder, or all
    unseen: str = "test"  # set of speakers unheard in training: that of the page and the ladder
    seen: str = "seen"  # set of training speakers, for the t-SNE
    xvector: Path | None = None  # experiment of the embedder for the t-SNE; exp/xvector if not given
    audio: bool = True  # play cases on the page and draw the t-SNE, which both need the extracted recordings
    max_megabytes: float = 6.0  # of page.html: recordings are cut to stay below
    seed: int = 0  # of the choice of speakers and of the t-SNE
    title: str = ""  # heading; made from the corpus if empty
    command: str = ""  # command line that made the figures, such as the recipe's; this one if empty


@dataclass(frozen=True)
class _Report:
    """What the pages tell."""

    title: str
    environment: dict[str, Any]
    scored: list[Scored]
    trainings: dict[str, Training]
    rungs: list[Rung]
    differences: list[Difference]
    panels: list[Panel]
    pictures: list[Picture]
    notes: list[str]


def report_extraction(config: Config, *, now: datetime | None = None) -> None:
    """Write the results of ``config.exp`` into ``config.out``; each file is complete or as it was before.

    Args:
        config: settings.
        now: date of the page; the present if None.

    Raises:
        DataDirError: if there is nothing to report, or a score, history or recording is missing or broken.
        ConfigError: for a system that was not scored.
    """
    scored = _chosen(read_extraction_scores(config.exp), config)
    unseen = [one for one in scored if one.set == config.unseen]
    if not any(one.system != MIXTURE for one in unseen):
        sets = ", ".join(sorted({one.set for one in scored if one.system != MIXTURE})) or "none"
        raise ConfigError(f"unseen: no system was scored on '{config.unseen}'; scored sets: {sets}")
    systems = list(dict.fromkeys(one.system for one in scored if one.system != MIXTURE))
    trainings = {system: read_training(config.exp / system) for system in systems}
    notes = [*disagreements(scored), *missing_trainings(scored, trainings)]
    shown = _shown(unseen, config)
    panels, tsne_notes = [], ["asked for no audio: no cases to hear, no t-SNE"]
    if config.audio:
        sets, names = (config.unseen, config.seen), [one.system for one in shown if one.system != MIXTURE]
        embedder = config.xvector or config.exp / "xvector"
        panels, tsne_notes = tsne_panels(config.exp, config.data, embedder, scored, sets, names, seed=config.seed)
    report = _Report(
        title=config.title or f"Target speaker extraction on {config.corpus}",
        environment=environment(config.command, now=now),
        scored=scored,
        trainings=trainings,
        rungs=build_ladder(unseen, config.ladder),
        differences=differences(shown),
        panels=panels,
        pictures=_draw(config, trainings, panels),
        notes=[*notes, *tsne_notes],
    )
    cases = _write_page(config, report, shown)
    write_text(config.out / "RESULTS.md", _markdown(report))
    write_json(config.out / "results.json", _machine(report, cases))


def _chosen(scored: list[Scored], config: Config) -> list[Scored]:
    """Scores of the systems asked for, in their order; the unseen set first, then those named after it."""
    known = {one.system for one in scored}
    ladder = {name for entry in config.ladder for name in entry.split(":")}
    wanted = (*config.systems, *sorted(ladder - set(config.systems))) if config.systems else ()
    for name in (*wanted, *config.page_systems):
        if name not in known:
            raise ConfigError(f"systems: no scores of '{name}' in {config.exp}; there are {', '.join(sorted(known))}")
    order = [MIXTURE, *wanted]
    if wanted:
        scored = sorted((one for one in scored if one.system in order), key=lambda one: order.index(one.system))
    rank = {config.unseen: 0, f"{config.unseen}_absent": 1}
    return sorted(scored, key=lambda one: (rank.get(one.set, 2), one.set))


def _shown(unseen: list[Scored], config: Config) -> list[Scored]:
    """The systems to hear and see, and the mixture."""
    ladder = {name for entry in config.ladder for name in entry.split(":")}
    systems = [one.system for one in unseen if one.system != MIXTURE]
    names = config.page_systems or [name for name in systems if name not in ladder] or systems
    return [one for one in unseen if one.system == MIXTURE or one.system in names]


def _draw(config: Config, trainings: dict[str, Training], panels: list[Panel]) -> list[Picture]:
    labels = {config.unseen: "unseen speakers", config.seen: "seen speakers"}
    tsne = draw_tsne(panels, labels, config.out / "tsne.png") if panels else None
    return [picture for picture in (tsne, draw_curves(trainings, config.out / "curves.png")) if picture]


def _grids(report: _Report) -> dict[str, list[Grid]]:
    """The tables of each set; groups of trials of the first one, that of unseen speakers."""
    grids = {}
    for name in dict.fromkeys(one.set for one in report.scored):
        scored = [one for one in report.scored if one.set == name]
        groups = group_tables(scored) if name == report.scored[0].set else []
        tables = [main_table(scored), condition_table(scored), *groups]
        grids[name] = [table for table in tables if table is not None]
    return grids


def _closing_grids(report: _Report) -> list[Grid]:
    """Tables that are not of one set."""
    unseen = [one for one in report.scored if one.set == report.scored[0].set]
    tables = [
        differences_table(report.differences) if report.differences else None,
        ladder_table(report.rungs) if report.rungs else None,
        panel_table(report.panels) if report.panels else None,
        cost_table(unseen),
        training_table(_training_facts(report)),
        set_table(report.scored),
    ]
    return [table for table in tables if table is not None]


def _training_facts(report: _Report) -> list[dict[str, Any]]:
    return [training_facts(system, training, report.scored) for system, training in report.trainings.items()]


def _introduction(report: _Report) -> str:
    first = report.scored[0]
    return (
        f"{first.facts['num_trials']} trials of the set {first.set} at {first.facts['fs']} Hz. SI-SDR, SDR, PESQ, STOI "
        "and ESTOI are means over trials, those ending in i gains over the unprocessed mixture, in brackets 95 % "
        "bootstrap intervals. Confusion: the output is nearer to the interferer than to the target. Similarity: cosine "
        "of the toolkit's x-vectors of output and enrollment."
    )


def _markdown(report: _Report) -> str:
    lines = [f"# {report.title}", "", _introduction(report), ""]
    for name, grids in _grids(report).items():
        lines += [f"## Set {name}", ""]
        for grid in grids:
            lines += grid.section()
    for grid in _closing_grids(report):
        lines += grid.section(2)
    lines += ["## Figures", ""]
    for picture in report.pictures:
        lines += [f"![{picture.title}]({picture.path.name})", "", picture.caption, ""]
    notes = [f"- {note}" for note in report.notes] or ["Nothing."]
    lines += ["## Missing or irregular", "", *notes, ""]
    lines += ["## Where the figures come from", "", *environment_lines(report.environment)]
    return "\n".join([*lines, f"- versions at scoring: {versions_line(report.scored)}", ""])


def _write_page(config: Config, report: _Report, shown: list[Scored]) -> list[PlayedCase]:
    absent = [one for one in report.scored if one.set == f"{config.unseen}_absent"]
    names = {one.system for one in shown}
    groups = [shown, [one for one in absent if one.system in names]]
    facts = {**report.environment, "versions at scoring": versions_line(report.scored)}
    tables = [grid for grids in list(_grids(report).values())[:1] for grid in grids]
    return write_page(
        config.out / "page.html",
        title=report.title,
        introduction=_introduction(report),
        groups=[group for group in groups if group] if config.audio else [],
        folders=lambda one: (config.data / f"trials_{one.set}", config.exp / one.system / "extracted" / one.set),
        grids=[*tables, *_closing_grids(report)],
        pictures=report.pictures,
        facts=[(name, str(value)) for name, value in facts.items()],
        max_megabytes=config.max_megabytes,
    )


def _machine(report: _Report, cases: list[PlayedCase]) -> dict[str, Any]:
    return {
        "title": report.title,
        "environment": report.environment,
        "scores": [scored_facts(one) for one in report.scored],
        "differences": [dataclasses.asdict(difference) for difference in report.differences],
        "ladder": ladder_facts(report.rungs),
        "trainings": _training_facts(report),
        "tsne": [panel.facts() for panel in report.panels],
        "cases": [{"kind": c.case.heading, "place": c.case.place, "trial": c.case.trial} for c in cases],
        "notes": report.notes,
    }
