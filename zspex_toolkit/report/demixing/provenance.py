"""Where figures of de-mixing come from: lists, networks and what they were made with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from zspex_toolkit.report.cells import DASH, number, percent
from zspex_toolkit.report.demixing.networks import SECONDS, Cost, Network
from zspex_toolkit.report.demixing.paper_figures import cell_order
from zspex_toolkit.report.demixing.scores import Score
from zspex_toolkit.report.demixing.tables import column_label
from zspex_toolkit.report.trainings import read_training


def trial_lists(scores: list[Score]) -> list[dict[str, Any]]:
    """The lists of trials, each once: where used, trials scored and dropped, hash."""
    lists: dict[tuple, dict[str, Any]] = {}
    for score in scores:
        entry = {
            "given": score.given,
            "column": score.column,
            "set": score.set,
            "num_trials": score.num_trials,
            "num_dropped": score.num_dropped,
            "list_hash": score.list_hash,
        }
        lists.setdefault(tuple(map(str, entry.values())), entry)
    return sorted(lists.values(), key=lambda entry: (*cell_order(entry["given"], entry["column"]), entry["set"]))


def disagreements(scores: list[Score]) -> list[str]:
    """Cells of one column that were scored on different trials, which makes their comparison void; a line each."""
    seen: dict[tuple, Score] = {}
    lines = []
    for score in scores:
        cell = (score.given, score.column, score.set)
        first = seen.setdefault(cell, score)
        if (first.list_hash, first.num_trials) != (score.list_hash, score.num_trials):
            where = f"given {score.given}, {column_label(score.column)}, {score.set}"
            lines.append(
                f"{where}: {first.path} has {first.num_trials} trials of list {first.list_hash}, "
                f"{score.path} has {score.num_trials} of {score.list_hash}"
            )
    return lines


def list_lines(lists: list[dict[str, Any]]) -> list[str]:
    """:func:`trial_lists` as a Markdown table."""
    lines = ["| Given | | Set | Trials | Dropped | List |", "| --- | --- | --- | ---: | ---: | --- |"]
    for entry in lists:
        lines.append(
            f"| {entry['given']} | {column_label(entry['column'])} | {entry['set']} | {entry['num_trials']} "
            f"| {entry['num_dropped']} | {entry['list_hash']} |"
        )
    return lines


def network_facts(network: Network, cost: Cost | None = None) -> dict[str, Any]:
    """What was trained, with what and for how long, and what it costs to run; None where an experiment does not say."""
    score, training = network.scores[0] if network.scores else None, network.training
    return {
        "folder": network.folder,
        "num_parameters": score.num_parameters if score else None,
        "effective_batch": training.effective_batch,
        "epochs": len(training.history) or None,
        "last_valid_mae": training.last("valid", "mae"),
        "seconds": training.seconds,
        "amp": training.amp,
        "seed": training.loop.get("seed"),
        "config_hash": training.config_hash,
        "trained_commit": training.commit,
        "scored_commit": score.commit if score else None,
        "fs": cost.fs if cost else None,
        "macs_per_second": cost.macs_per_second if cost else None,
        "real_time_factor": cost.real_time_factor if cost else None,
    }


def network_lines(networks: list[Network], costs: Mapping[str, Cost] = MappingProxyType({})) -> list[str]:
    """:func:`network_facts` as a Markdown table."""
    lines = [
        "| Network | Parameters | Effective batch | Epochs | Valid MAE | Minutes | Precision | Seed | Settings "
        "| Trained at | Scored at | MMAC/s | Real-time factor |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- | --- | --- | ---: | ---: |",
    ]
    for facts in (network_facts(network, costs.get(network.folder)) for network in networks):
        minutes = number(None if facts["seconds"] is None else facts["seconds"] / 60)
        counts = (facts[name] for name in ("num_parameters", "effective_batch", "epochs"))
        counted = " | ".join(DASH if count is None else f"{count:,}" for count in counts)
        seed = DASH if facts["seed"] is None else facts["seed"]
        hashes = " | ".join(facts[name] or DASH for name in ("config_hash", "trained_commit", "scored_commit"))
        macs = number(None if facts["macs_per_second"] is None else facts["macs_per_second"] / 1e6, 1)
        lines.append(
            f"| {facts['folder']} | {counted} | {number(facts['last_valid_mae'], 4)} | {minutes} "
            f"| {facts['amp'] or DASH} | {seed} | {hashes} | {macs} | {number(facts['real_time_factor'], 4)} |"
        )
    return lines


def cost_lines(costs: Mapping[str, Cost]) -> list[str]:
    """What the two columns on cost mean; nothing if no network's cost is known."""
    if not costs:
        return []
    rates = ", ".join(str(fs) for fs in sorted({cost.fs for cost in costs.values()}))
    return [
        f"Sampling rate: {rates} Hz. MMAC/s: millions of multiply-accumulate operations of the network, without its",
        f"features, per second of audio, over {SECONDS} s of voiced frames. Real-time factor: seconds per second of",
        "that audio on one CPU thread of the machine that wrote this page, measured then.",
        "",
    ]


def foundation_facts(exp: Path) -> dict[str, dict[str, Any]]:
    """How the embedder A and the classifier B were trained, where their folders are there."""
    facts = {}
    for name in ("embedder", "classifier"):
        training = read_training(exp / name)
        if training.history:
            facts[name] = {
                "epochs": len(training.history),
                "effective_batch": training.effective_batch,
                **{key: training.loop.get(key) for key in ("optimizer", "learning_rate", "schedule", "seed")},
                "train_accuracy": training.last("train", "accuracy"),
                "seconds": training.seconds,
                "amp": training.amp,
                "config_hash": training.config_hash,
                "commit": training.commit,
            }
    return facts


def foundation_lines(facts: dict[str, dict[str, Any]]) -> list[str]:
    """:func:`foundation_facts` as a Markdown list."""
    return [
        f"- {name}: {f['epochs']} epochs, effective batch {f['effective_batch']}, {f['optimizer']}, "
        f"learning rate {f['learning_rate']}, {f['schedule']} schedule, seed {f['seed']}, "
        f"{f['seconds'] / 60:.1f} minutes, amp {f['amp'] or DASH}, "
        f"accuracy on its training items {number(percent(f['train_accuracy']))} %, settings {f['config_hash']}, "
        f"trained at {f['commit'] or DASH}"
        for name, f in facts.items()
    ]
