"""Extract a speaker from a recording of any length, rate and number of channels, file to file, in constant memory."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from zspex_toolkit.errors import AudioError, ConfigError, UserError
from zspex_toolkit.extract.extractor import PEAK, Extractor
from zspex_toolkit.extract.separation import Separation, check_normalisation, separate_blocks
from zspex_toolkit.io.audio_blocks import AudioScan, check_output, read_blocks, scan_audio, write_blocks
from zspex_toolkit.io.scratch_arrays import ScratchArrays
from zspex_toolkit.models.clue import Clue
from zspex_toolkit.signal.resample import resample_blocks, resampled_length

CHANNELS = ("mono", "each")
_LOUDEST = 32767 / 32768
_OFFSET_SAID = 0.001  # DC offset from which on its removal is told
_GAIN_SAID_DB = 3.0
_CLIPPED_SAID = 10  # samples at full scale; a few are no more than a full use of the scale


@dataclass(frozen=True)
class OutputOptions:
    """How the extracted voice is written; of these options tells :class:`zspex_toolkit.extract.jobs.Config`."""

    channels: str
    normalize_output: str
    sample_format: str
    chunk_s: float

    def check(self, output: Path) -> None:
        """Refuse what does not exist or does not fit ``output``, before anything is computed.

        Raises:
            ConfigError: naming the option.
        """
        if self.channels not in CHANNELS:
            raise ConfigError(f"channels: expected one of {', '.join(CHANNELS)}, got '{self.channels}'")
        check_normalisation(self.normalize_output)
        check_output(output, self.sample_format)
        if output.is_dir():
            raise ConfigError(f"{output}: is a folder; give the output the name of a file")


@dataclass(frozen=True)
class Extracted:
    """What there is to say of an extracted recording: its length in seconds and, if known, the presence score."""

    seconds: float
    presence: float | None


def to_stderr(line: str) -> None:
    """Print a remark without breaking a progress bar."""
    tqdm.write(line, file=sys.stderr)


def extract_recording(
    extractor: Extractor,
    mixture: str,
    clue: Clue,
    outputs: Sequence[Path],
    options: OutputOptions,
    *,
    say: Callable[[str], None] = to_stderr,
) -> list[Extracted]:
    """Write the voices of Q people in ``mixture``, as long and at the same rate, never clipped.

    Args:
        extractor: the network.
        mixture: recording, as :func:`zspex_toolkit.io.audio.read_audio` takes, of any rate and number of channels.
        clue: Q rows, such as one from :func:`enroll_recordings`.
        outputs: Q files to write; absent or complete.
        options: how.
        say: takes remarks, a line each.

    Raises:
        UserError: if the mixture is unfit or an output cannot be written; what was at the outputs is still there.
    """
    for output in outputs:
        options.check(output)
        if Path(mixture).exists() and output.exists() and output.samefile(mixture):
            raise UserError(f"{output}: is the mixture itself; give the output another name")
    scan = scan_audio(mixture)
    _remark(mixture, scan, extractor.fs, options, say)
    info = scan.info
    num_samples = resampled_length(info.num_samples, info.fs, extractor.fs)
    gain = _input_gain(extractor, mixture, scan, options.channels, say)
    blocks = resample_blocks(_centred(mixture, scan, options.channels), info.fs, extractor.fs, num_samples)
    num_channels = 1 if options.channels == "mono" else info.num_channels
    asked = clue[[person for person in range(len(clue)) for _ in range(num_channels)]]
    with closing(ScratchArrays(outputs[0].parent)) as store:
        bar = tqdm(blocks, total=num_samples, disable=None, unit="sample", unit_scale=True, desc=outputs[0].name)
        separation = separate_blocks(
            extractor, _counted(bar), num_samples, asked, store, chunk_s=options.chunk_s, input_gain=gain
        )
        for person, output in enumerate(outputs):
            _write(extractor, separation, person, scan, output, options, say)
    people = range(len(outputs))
    return [Extracted(info.num_samples / info.fs, separation.presence(extractor.calibration, p)) for p in people]


def enroll_recordings(extractor: Extractor, enrollments: Sequence[str], *, say=to_stderr) -> Clue:
    """The clue, one row, of the speaker of one or several recordings.

    Raises:
        AudioError: naming the recording that is missing, broken, silent or too short.
    """
    if not enrollments:
        raise ConfigError("enrollment: expected at least one recording of the speaker to extract")
    return extractor.network.join([_enroll(extractor, path, say) for path in enrollments])


def _enroll(extractor: Extractor, path: str, say: Callable[[str], None]) -> Clue:
    scan = scan_audio(path)
    if scan.info.fs != extractor.fs:
        say(f"{path}: resampled from {scan.info.fs} Hz to the model's {extractor.fs} Hz")
    num_samples = resampled_length(scan.info.num_samples, scan.info.fs, extractor.fs)
    remarks: list[str] = []  # not said of a recording that is of no use
    gain = np.float32(_input_gain(extractor, path, scan, "mono", remarks.append))
    blocks = (block * gain for block in _centred(path, scan, "mono"))
    blocks = resample_blocks(blocks, scan.info.fs, extractor.fs, num_samples)
    try:
        clue = extractor.enroll_blocks(blocks, num_samples)
    except AudioError as error:
        if scan.info.num_channels > 1 and scan.power > 0 and "silent" in str(error):
            raise AudioError(f"{path}: its channels cancel each other in their mean; give one of them alone") from error
        raise AudioError(f"{path}: {error}") from error
    for remark in remarks:
        say(remark)
    return clue


def _input_gain(extractor: Extractor, path: str, scan: AudioScan, channels: str, say: Callable[[str], None]) -> float:
    gain = extractor.input_gain(_centred(path, scan, channels), scan.info.fs)
    if abs(20 * np.log10(gain)) > _GAIN_SAID_DB:
        how = "quieter" if gain > 1 else "louder"
        say(f"{path}: {abs(20 * np.log10(gain)):.0f} dB {how} than what the model knows; the network gets it as usual")
    return gain


def _centred(source: str, scan: AudioScan, channels: str) -> Iterator[np.ndarray]:
    """The recording without DC offset, (n, 1) or with all its channels."""
    for block in read_blocks(source):
        block = block - scan.mean.astype(np.float32)
        yield block.mean(axis=1, keepdims=True) if channels == "mono" else block


def _counted(bar: tqdm) -> Iterator[np.ndarray]:
    """The blocks behind a bar that counts samples instead of blocks."""
    with bar:
        for block in bar.iterable:
            yield block
            bar.update(len(block))


def _remark(mixture: str, scan: AudioScan, fs: int, options: OutputOptions, say: Callable[[str], None]) -> None:
    info = scan.info
    if info.fs != fs:
        beyond = f"; above {fs // 2} Hz the output is empty" if info.fs > fs else ""
        say(f"{mixture}: resampled from {info.fs} Hz to the model's {fs} Hz, and the output back{beyond}")
    if info.num_channels > 1 and options.channels == "mono":
        say(f"{mixture}: {info.num_channels} channels, taken as one by their mean; --channels each keeps them apart")
    if np.abs(scan.mean).max() > _OFFSET_SAID:
        say(f"{mixture}: a DC offset of {scan.mean[np.abs(scan.mean).argmax()]:.4f} is taken off")
    if scan.num_clipped >= _CLIPPED_SAID:
        say(f"{mixture}: clipped, {scan.num_clipped} samples lie at full scale; expect distortion")
    if not scan.power > 0:
        say(f"{mixture}: silent throughout, and so is the output")


def _write(
    extractor: Extractor,
    separation: Separation,
    person: int,
    scan: AudioScan,
    output: Path,
    options: OutputOptions,
    say: Callable[[str], None],
) -> None:
    """Join the chunks twice: once for the peak, which one gain keeps in range, and once for the file."""
    model, info = extractor.calibration, scan.info
    if scan.power > 0 and not separation.energies.mixture.any():
        say(f"{output}: silent, for the mixture's channels cancel each other; --channels each keeps them apart")
    as_mixture = options.normalize_output == "mixture"

    def joined() -> Iterator[np.ndarray]:
        blocks = separation.blocks(person, as_mixture=as_mixture, usual_gain=model.usual_gain if model else None)
        return resample_blocks(blocks, extractor.fs, info.fs, info.num_samples)

    peak = max(float(np.abs(block).max()) for block in joined())
    gain = 1.0
    if options.normalize_output == "peak" and peak > 0:
        gain = PEAK / peak
    elif peak > _LOUDEST:
        gain = _LOUDEST / peak
        say(f"{output}: turned down by {-20 * np.log10(gain):.1f} dB as a whole, so that nothing clips")
    num_channels = 1 if options.channels == "mono" else info.num_channels
    blocks = (block * np.float32(gain) for block in joined())
    write_blocks(output, blocks, dataclasses.replace(info, num_channels=num_channels), options.sample_format)
