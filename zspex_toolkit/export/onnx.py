"""A trained extractor as ONNX files, which run without this toolkit and without torch."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from zspex_toolkit.data.extraction_trials import StoredTrials
from zspex_toolkit.errors import ConfigError, UserError
from zspex_toolkit.export.graph import Graph
from zspex_toolkit.extract.clue_sources import fingerprint
from zspex_toolkit.extract.packed_model import load_model
from zspex_toolkit.extract.shipped_models import model_card, model_folder
from zspex_toolkit.io.atomic import atomic_path
from zspex_toolkit.registry import available, load
from zspex_toolkit.signal.si_sdr import si_sdr

if TYPE_CHECKING:
    import onnx
    import onnxruntime

FORMAT, VERSION = "zspex onnx", "1"
_PACKAGE = "export.networks"
_MOST_DIFFERENCE = 1e-4  # of the peak; rounding alone makes 1e-6
_CHECK_S = 2.0


@dataclass(frozen=True)
class Config:
    """Settings of export."""

    out: Path  # m.onnx, for whole recordings; m_enroll.onnx and, if causal, m_stream.onnx are written beside it
    model: Path | None = None  # folder of a trained extractor, or a name of zspex models; unset: the default of those
    int8: bool = False  # matrices as int8: a third of the size, and quicker; its loss is measured
    data: Path | None = None  # trial directory on which to measure that loss; unset: noise like speech
    num_trials: int = 20  # so many of its first trials
    licence: str = ""  # of the weights, written into the files; unset: what the model's README.md says


@dataclass(frozen=True)
class _Form:
    """One file: its graph, and that graph as a model."""

    path: Path
    graph: Graph
    model: onnx.ModelProto


def export(config: Config) -> None:
    """Write a network as ONNX files and say how near they come to it; nothing is written where they do not.

    Raises:
        ConfigError: for settings out of their range.
        UserError: if onnx is not installed, the folder of ``out`` is missing, the model is broken or of a network that
            cannot be exported, or the trials are broken.
    """
    _check(config)
    spec, network = load_model(config.model)
    if spec.extractor not in available(_PACKAGE):
        found = f"{config.model or 'the default model'} is a {spec.extractor}"
        raise UserError(f"{found}; expected a network that can be exported: {', '.join(available(_PACKAGE))}")
    data = None if config.data is None else StoredTrials(config.data, spec.fs)
    forms = {
        name: _Form(_path(config.out, name), graph, graph.model())
        for name, graph in load(_PACKAGE, spec.extractor)(network).items()
    }
    _check_no_other(config.out, forms)
    difference = _difference(network, forms, spec.fs)
    said = f"at most {difference:.1e} of the peak from the network"
    loss = {}
    if config.int8:
        full, forms = forms, {name: _quantised(form) for name, form in forms.items()}
        loss, text = _loss(full, forms, spec.fs, data, config)
        said = f"{text}; before it {said}"
    facts = {
        "network": spec.extractor,
        "fs": spec.fs,
        "min_enrollment_samples": network.min_enrollment_samples,
        "storage": "int8" if config.int8 else "float32",
        **loss,
        "made_by": fingerprint(network),
        "licence": config.licence or model_card(model_folder(config.model)).get("licence", "not told"),
    }
    for name, form in forms.items():
        _write(form, {"format": FORMAT, "version": VERSION, "form": name, **facts, **form.graph.facts})
    names = ", ".join(form.path.name for form in forms.values())
    print(f"{config.out.parent}: {names}: {spec.extractor} at {spec.fs} Hz, {said}")


def _check(config: Config) -> None:
    if config.out.suffix != ".onnx":
        raise ConfigError(f"out: expected a name that ends with .onnx, got '{config.out}'")
    if not config.out.parent.is_dir():
        raise UserError(f"{config.out}: no folder {config.out.parent} to write it to; make it first")
    if config.data is not None and not config.int8:
        raise ConfigError("data: the loss of int8 is measured on it; expected --int8 true, too")
    if config.num_trials < 1:
        raise ConfigError(f"num_trials: expected 1 or more, got {config.num_trials}")
    try:
        import onnx  # noqa: F401
        import onnxruntime.quantization  # noqa: F401
    except ImportError as missing:
        raise UserError(f"{missing.name} is not installed; pip install 'zspex_toolkit[onnx]'") from missing


def _path(out: Path, form: str) -> Path:
    return out if form == "extract" else out.with_name(f"{out.stem}_{form}.onnx")


def _check_no_other(out: Path, forms: dict[str, _Form]) -> None:
    """Refuse a stream of another network beside the files, which would be taken for one of them."""
    other = _path(out, "stream")
    if "stream" not in forms and other.exists():
        raise UserError(f"{other}: of another network, for this one is not causal; remove it, or give out another name")


def _write(form: _Form, facts: dict[str, Any]) -> None:
    import onnx

    onnx.helper.set_model_props(form.model, {key: str(value) for key, value in facts.items()})
    try:
        with atomic_path(form.path) as temporary:
            temporary.write_bytes(form.model.SerializeToString())
    except OSError as error:
        raise UserError(f"{form.path}: cannot be written ({error.strerror or error})") from error


def _quantised(form: _Form) -> _Form:
    """Matrices as int8, a step for each column; what they are multiplied with is rounded to 8 bits as it comes.

    Seven bits of the eight: processors without VNNI add two products in 16 bits, which full ones would overflow.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory() as folder, _without_warnings():
        path = Path(folder) / "int8.onnx"
        quantize_dynamic(
            form.model,
            path,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=form.graph.exact,
        )
        return replace(form, model=onnx.load(path))


@contextmanager
def _without_warnings() -> Iterator[None]:
    """The quantiser recommends a step before it, which is for graphs of unknown shapes."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


class _Runner:
    """The way from an enrollment and a mixture to the target, in onnxruntime."""

    def __init__(self, forms: dict[str, _Form]):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        self._sessions: dict[str, onnxruntime.InferenceSession] = {
            name: onnxruntime.InferenceSession(form.model.SerializeToString(), options) for name, form in forms.items()
        }

    def clue(self, enrollment: np.ndarray) -> dict[str, np.ndarray]:
        session = self._sessions["enroll"]
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(None, {"enrollment": enrollment}), strict=True))

    def extract(self, mixture: np.ndarray, enrollment: np.ndarray) -> np.ndarray:
        return self._sessions["extract"].run(None, {"mixture": mixture, **self.clue(enrollment)})[0]

    def stream(self, mixture: np.ndarray, enrollment: np.ndarray, size: int) -> np.ndarray:
        """In blocks of so many samples, of whole hops; as it comes, the delay before it."""
        session, clue = self._sessions["stream"], self.clue(enrollment)
        states = [one for one in session.get_inputs() if one.name.startswith("state_")]
        state, pieces = {one.name: np.zeros(one.shape, np.float32) for one in states}, []
        for begin in range(0, mixture.shape[1] - size + 1, size):
            piece, *after = session.run(None, {"samples": mixture[:, begin : begin + size], **clue, **state})
            state = dict(zip(state, after, strict=True))
            pieces.append(piece)
        return np.concatenate(pieces, 1)


@torch.inference_mode()
def _difference(network: nn.Module, forms: dict[str, _Form], fs: int) -> float:
    """Largest difference of the graphs' outputs from the network's, over its peak."""
    runner = _Runner(forms)
    mixture, enrollment, _ = _noises(fs)
    expected = network.extract(torch.from_numpy(mixture), network.clue(torch.from_numpy(enrollment))).numpy()
    differences = [runner.extract(mixture, enrollment) - expected]
    if "stream" in forms:
        hop, delay = (forms["stream"].graph.facts[name] for name in ("hop", "delay_samples"))
        late = runner.stream(mixture, enrollment, 3 * hop)
        differences.append(late[:, delay:] - expected[:, : late.shape[1] - delay])
    difference = float(max(np.abs(one).max() for one in differences) / np.abs(expected).max())
    if not difference <= _MOST_DIFFERENCE:
        raise UserError(
            f"the graph is {difference:.1e} of the peak from the network, expected {_MOST_DIFFERENCE} at most; "
            "its weights are broken, or this export is"
        )
    return difference


def _loss(
    full: dict[str, _Form], small: dict[str, _Form], fs: int, data: StoredTrials | None, config: Config
) -> tuple[dict[str, str], str]:
    """What int8 loses, for the files and for the screen."""
    runners = _Runner(full), _Runner(small)
    if data is None:
        mixture, enrollment, _ = _noises(fs)
        exact, rounded = (runner.extract(mixture, enrollment) for runner in runners)
        error_db = 10 * np.log10(np.square(rounded - exact).sum() / np.square(exact).sum())
        return {"int8_error_db": f"{error_db:.1f}"}, f"int8 adds an error of {error_db:.1f} dB (of noise like speech)"
    scores = []
    for row in islice((row for row in map(partial(data.get, 0), range(len(data))) if row.present), config.num_trials):
        outputs = np.concatenate([runner.extract(row.mixture[None], row.enrollment[None]) for runner in runners])
        scores.append(si_sdr(torch.from_numpy(outputs), torch.from_numpy(row.target)[None].expand(2, -1)))
    if not scores:
        raise UserError(f"{config.data}: expected a trial whose speaker is present, found none")
    exact_db, small_db = torch.stack(scores).mean(0).tolist()
    loss_db = exact_db - small_db
    text = f"int8 loses {loss_db:.2f} dB of {exact_db:.2f} dB SI-SDR ({len(scores)} trials of {config.data})"
    return {"int8_loss_db": f"{loss_db:.2f}"}, text


def _noises(fs: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mixture, an enrollment and a target, (1, T) each, of noise with the spectrum and the syllables of speech."""
    rng, num_samples = np.random.default_rng(0), round(_CHECK_S * fs)
    hertz, seconds = np.fft.rfftfreq(num_samples, 1 / fs), np.arange(num_samples) / fs
    voices = []
    for rate in (3.1, 4.3, 3.1):
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(num_samples)) / (1 + hertz / 500), num_samples)
        voices.append(noise / noise.std() * np.sin(np.pi * rate * seconds) ** 2)
    target, other, enrollment = (0.1 * voice[None].astype(np.float32) for voice in voices)
    return target + other, enrollment, target
