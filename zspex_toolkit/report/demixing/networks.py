"""The trained de-mixing networks of an experiment: what each was trained for, with what, and what it costs to run."""

from __future__ import annotations

import re
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from zspex_toolkit.errors import DataDirError
from zspex_toolkit.nn.macs import count_macs
from zspex_toolkit.report.demixing.paper_figures import cell_order, paper_order
from zspex_toolkit.report.demixing.scores import Score
from zspex_toolkit.report.trainings import Training, read_training
from zspex_toolkit.tasks.demixing import DemixerSpec, build_network
from zspex_toolkit.tasks.experiment import read_spec

SECONDS = 10  # of the input that is counted and timed, every frame of it voiced
_NUM_TIMED = 3
_FOLDER = re.compile(r"demix_(?P<given>e1|e2|both)_(?P<condition>snr_all|[^_]+)_(?P<function>\w+)")


@dataclass(frozen=True)
class Network:
    """One folder ``demix_<given>_<condition>_<function>``."""

    folder: str
    given: str  # `e1`, `e2`, or `both`: trained for either direction
    condition: str
    function: str
    training: Training
    scores: tuple[Score, ...]

    @property
    def column(self) -> float | str:
        """SNR in dB it was trained at, microphone, or ``all SNRs``."""
        if self.condition == "snr_all":
            return "all SNRs"
        return float(self.condition[3:]) if self.condition.startswith("snr") else self.condition


def read_networks(exp: Path, scores: list[Score]) -> list[Network]:
    """Every ``exp/demix_*`` folder, ordered as the tables are.

    Raises:
        DataDirError: for a folder whose name does not say what it was trained for, or a broken history.
    """
    networks = []
    for folder in sorted(path for path in exp.glob("demix_*") if path.is_dir()):
        match = _FOLDER.fullmatch(folder.name)
        if match is None:
            raise DataDirError(
                f"{folder}: expected the name demix_<e1|e2|both>_<condition>_<function>; rename the folder"
            )
        networks.append(
            Network(
                folder=folder.name,
                **match.groupdict(),
                training=read_training(folder),
                scores=tuple(score for score in scores if Path(score.path).parent.name == folder.name),
            )
        )
    return sorted(networks, key=lambda n: (*cell_order(n.given, n.column), paper_order(n.function)))


@dataclass(frozen=True)
class Cost:
    """Of a network alone: its features and the known speaker's embedding are there."""

    fs: int  # sampling rate of the audio it is made for, in Hz
    macs_per_second: float  # multiply-accumulate operations of convolutions and affine layers, per second of audio
    real_time_factor: float  # seconds on one CPU thread per second of audio


def network_costs(folders: list[Path]) -> dict[str, Cost]:
    """The cost of each experiment's network, by the folder's name; folders without ``model.yaml`` are left out.

    Networks of one shape are measured once.
    """
    measured: dict[str, Cost] = {}
    costs = {}
    for folder in folders:
        if (folder / "model.yaml").exists():
            spec = read_spec(DemixerSpec, folder)
            shape = repr((spec.embedder, spec.demixer, spec.demixer_options))
            costs[folder.name] = measured[shape] = measured.get(shape) or _cost(spec)
    return costs


def _cost(spec: DemixerSpec) -> Cost:
    mfcc = spec.embedder.front_end.mfcc
    network = build_network(spec).eval()
    feats = torch.zeros(1, round(SECONDS * 1000 / mfcc.frame_shift_ms), mfcc.num_ceps)  # (B, L, F)
    inputs = (feats, None, torch.zeros(1, network.embedder.embedding_dim))
    return Cost(mfcc.fs, count_macs(network, *inputs) / SECONDS, _seconds(network, *inputs) / SECONDS)


@torch.no_grad()
def _seconds(network: nn.Module, *inputs: torch.Tensor | None) -> float:
    """Median time of a forward pass on one CPU thread; the first, which allocates, is not counted."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        times = []
        for _ in range(1 + _NUM_TIMED):
            began = time.perf_counter()
            network(*inputs)
            times.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(num_threads)
    return statistics.median(times[1:])
