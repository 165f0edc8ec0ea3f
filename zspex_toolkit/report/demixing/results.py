"""The results page of a de-mixing experiment: RESULTS.md, its figures, and results.json with the same numbers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from zspex_toolkit.io.atomic import write_json, write_text
from zspex_toolkit.report.colours import save_figure
from zspex_toolkit.report.demixing.controls import control_lines, failed_controls
from zspex_toolkit.report.demixing.figures import accuracy_bars, training_curves
from zspex_toolkit.report.demixing.networks import Cost, Network, network_costs, read_networks
from zspex_toolkit.report.demixing.paper_figures import CORPUS, SOURCE
from zspex_toolkit.report.demixing.provenance import (
    cost_lines,
    disagreements,
    foundation_facts,
    foundation_lines,
    list_lines,
    network_facts,
    network_lines,
    trial_lists,
)
from zspex_toolkit.report.demixing.scores import Score, read_scores
from zspex_toolkit.report.demixing.tables import Table, accuracy_lines, build_tables, detail_lines, ratio_lines, ratios
from zspex_toolkit.report.provenance import environment, environment_lines

_DIRECTIONS = {
    "e2": "Given e2, get e1",
    "e1": "Given e1, get e2",
    "both": "Given either of e1 and e2, get the other",
}


_CURVES = {
    "mae": "Figure 6: mean absolute error",
    "accuracy": "Accuracy of B, on training segments and on segments of the test mixtures,",
}


@dataclass(frozen=True)
class Config:
    """Settings of report_demixing."""

    exp: Path  # experiment with demix_*/scores.json and baseline/*/scores.json
    out: Path  # folder for RESULTS.md, results.json and the figures
    corpus: str  # name of the corpus, such as timit; the page says when it is not the paper's
    title: str = ""  # heading of the page; made from the corpus if empty
    command: str = ""  # command line that made the figures, such as the recipe's; this one if empty


@dataclass(frozen=True)
class _Experiment:
    """What the page and its figures for machines both tell."""

    title: str
    corpus: str
    scores: list[Score]
    networks: list[Network]
    tables: list[Table]
    facts: dict[str, Any]  # of the environment
    foundations: dict[str, dict[str, Any]]  # of the trainings of A and B
    costs: dict[str, Cost]  # by the folder of the network
    notes: list[str]  # what is missing or irregular


def report_demixing(config: Config, *, now: datetime | None = None) -> None:
    """Write the results of ``config.exp`` into ``config.out``; each file is complete or as it was before.

    Args:
        config: settings.
        now: date of the page; the present if None.

    Raises:
        DataDirError: if there is nothing to report, or a score or history is broken.
    """
    scores = read_scores(config.exp)
    networks = read_networks(config.exp, scores)
    tables = build_tables(scores)
    experiment = _Experiment(
        title=config.title or f"Speaker embedding de-mixing on {config.corpus}",
        corpus=config.corpus,
        scores=scores,
        networks=networks,
        tables=tables,
        facts=environment(config.command, now=now),
        foundations=foundation_facts(config.exp),
        costs=network_costs([config.exp / network.folder for network in networks]),
        notes=[*_missing(tables, networks), *disagreements(scores), *failed_controls(scores)],
    )
    figures = _draw(experiment, config.out)
    write_text(config.out / "RESULTS.md", _page(experiment, figures))
    write_json(config.out / "results.json", _machine(experiment))


def _draw(experiment: _Experiment, out: Path) -> list[tuple[str, str]]:
    """Write the figures; return (file name, caption) of each."""
    tables, corpus = experiment.tables, experiment.corpus
    with_paper = all(CORPUS[table.number] == corpus for table in tables)
    bars = accuracy_bars(tables, title=f"Test accuracy on {corpus}", with_paper=with_paper)
    save_figure(bars, out / "accuracy.png")
    figures = [("accuracy.png", "Test accuracy of every function, with 95 % bootstrap intervals.")]
    terms = {term: f"Loss {term[5:]}" for network in experiment.networks for term in network.training.terms}
    for statistic, meaning in (_CURVES | terms).items():
        for given, title in _DIRECTIONS.items():
            trained = [n for n in experiment.networks if n.given == given and n.training.tells(statistic)]
            if trained:
                name = f"{statistic}_{given}.png"
                save_figure(training_curves(trained, title=title, statistic=statistic), out / name)
                figures.append((name, f"{meaning} against epochs. {title}."))
    return figures


def _missing(tables: list[Table], networks: list[Network]) -> list[str]:
    """Every cell and curve that should be there and is not."""
    cells = [f"{table.title}: {line}" for table in tables for line in table.missing()]
    without = [network.folder for network in networks if not network.training.tells("mae")]
    return cells + [f"{folder}: no error in its history, so no curve" for folder in without]


def _page(experiment: _Experiment, figures: list[tuple[str, str]]) -> str:
    lines = [f"# {experiment.title}", "", *_introduction(experiment.tables, experiment.corpus), ""]
    for table in experiment.tables:
        lines += [f"## {table.title}", "", *accuracy_lines(table), "", *ratio_lines(table), ""]
        lines += ["On test mixtures:", "", *detail_lines(table, "test"), ""]
        lines += ["<details><summary>On training mixtures</summary>", "", *detail_lines(table, "train"), ""]
        lines += ["</details>", ""]
    lines += [*control_lines(experiment.scores), "## Figures", ""]
    for name, caption in figures:
        lines += [f"![{caption}]({name})", "", caption, ""]
    notes = [f"- {note}" for note in experiment.notes] or ["Nothing."]
    lines += ["## Missing or irregular", "", *notes, ""]
    lines += ["## Where the figures come from", "", *environment_lines(experiment.facts), ""]
    lines += ["Trials, by their lists:", "", *list_lines(trial_lists(experiment.scores)), ""]
    if experiment.foundations:
        lines += ["Trained before the de-mixing networks:", "", *foundation_lines(experiment.foundations), ""]
    if experiment.networks:
        lines += ["Networks, with the commits they were trained and scored at:", ""]
        lines += [*network_lines(experiment.networks, experiment.costs), "", *cost_lines(experiment.costs)]
    return "\n".join(lines)


def _introduction(tables: list[Table], corpus: str) -> list[str]:
    lines = [
        "Accuracy of the speaker classifier in per cent, on train and test mixtures. `Before` classifies the embedding",
        "of the mixture, `Clean` (`Headset` in Table 4) that of the clean signal. The best function of each column is",
        "bold; intervals are 95 % bootstrap intervals; EER is the equal-error rate of verification trials.",
        f"Columns *paper* are printed test accuracies ({SOURCE}).",
    ]
    if any(isinstance(column, float) for table in tables for column in table.columns):
        lines += [
            "The SNR is that of speaker 1 over speaker 2 in every table: 5 dB is the easy case of Table 2 and the hard"
        ]
        lines += ["case of Table 3."]
    for measured in sorted({CORPUS[table.number] for table in tables} - {corpus}):
        lines += [
            "",
            f"**The corpora differ**: ours is {corpus}, the paper's {measured}. Its columns are for orientation.",
        ]
    return lines


def _machine(experiment: _Experiment) -> dict[str, Any]:
    return {
        "title": experiment.title,
        "corpus": experiment.corpus,
        "environment": experiment.facts,
        "tables": [
            {
                "table": table.number,
                "given": table.given,
                "accuracy": _accuracies(table),
                "paper_corpus": CORPUS[table.number],
                "paper": [{"function": row, "column": place, "test": v} for (row, place), v in table.printed.items()],
                "ratios": ratios(table),
            }
            for table in experiment.tables
        ],
        "scores": [dataclasses.asdict(score) for score in experiment.scores],
        "lists": trial_lists(experiment.scores),
        "foundations": experiment.foundations,
        "networks": [network_facts(n, experiment.costs.get(n.folder)) for n in experiment.networks],
        "notes": experiment.notes,
    }


def _accuracies(table: Table) -> list[dict[str, Any]]:
    """Per cent, None where not measured, in the order of the table."""
    return [
        {
            "function": row,
            "column": column,
            "train": table.accuracy(row, column, "train"),
            "test": table.accuracy(row, column),
        }
        for row in table.rows
        for column in table.columns
    ]
