"""Settings of the front end, apart from its computation: a command reads them before it loads torch.

``KALDI_NAMES`` are Kaldi's options and the fields they set, ``WITHOUT_EFFECT`` those that take one value only.
"""

from dataclasses import dataclass
from typing import ClassVar

from zspex_toolkit.errors import ConfigError

WINDOWS = ("povey", "hamming", "hanning", "rectangular", "sine", "blackman")


@dataclass(frozen=True)
class MfccConfig:
    """Settings of the features; the defaults are Kaldi's, except that ``dither`` is 0 for features that repeat."""

    fs: int = 16000  # sampling rate in Hz
    frame_length_ms: float = 25.0
    frame_shift_ms: float = 10.0
    num_mel_bins: int = 23
    num_ceps: int = 13  # cepstra kept, C0 (or the energy) included
    low_hz: float = 20.0  # lower edge of the first filter
    high_hz: float = 0.0  # upper edge of the last filter; zero or less: counted from half the sampling rate
    dither: float = 0.0  # standard deviation of added noise, in 16-bit steps; Kaldi's own default is 1
    preemphasis: float = 0.97
    remove_dc: bool = True  # subtract the mean of every frame
    window: str = "povey"  # povey, hamming, hanning, rectangular, sine or blackman
    blackman_coeff: float = 0.42
    use_energy: bool = True  # the first coefficient is the log energy of the frame instead of C0
    raw_energy: bool = True  # energy before pre-emphasis and window
    energy_floor: float = 0.0  # smallest energy, absolute; 0: none
    cepstral_lifter: float = 22.0  # 0: none
    snip_edges: bool = True  # only frames fully within the signal; otherwise one per shift, edges mirrored
    round_to_power_of_two: bool = True  # zero-pad frames to a power of two for the Fourier transform

    @property
    def frame_length(self) -> int:
        """Samples in a frame."""
        return int(self.fs * 0.001 * self.frame_length_ms)

    @property
    def frame_shift(self) -> int:
        """Samples between the starts of two frames."""
        return int(self.fs * 0.001 * self.frame_shift_ms)

    @property
    def upper_hz(self) -> float:
        """Upper edge of the last filter in Hz."""
        return self.high_hz if self.high_hz > 0 else self.fs / 2 + self.high_hz

    def num_frames(self, num_samples: int) -> int:
        """Number of frames of a signal, by Kaldi's two rules for its edges (``feat/feature-window.cc``).

        >>> MfccConfig().num_frames(16000), MfccConfig(snip_edges=False).num_frames(16000)
        (98, 100)
        """
        if not self.snip_edges:
            return (num_samples + self.frame_shift // 2) // self.frame_shift
        return max(0, 1 + (num_samples - self.frame_length) // self.frame_shift)

    def __post_init__(self):
        limits = {
            "fs": (self.fs > 0, "a positive rate in Hz"),
            "frame_length_ms": (self.frame_length >= 1, f"one sample or more at {self.fs} Hz"),
            "frame_shift_ms": (1 <= self.frame_shift <= self.frame_length, "one sample to the length of a frame"),
            "window": (self.window in WINDOWS, f"one of {', '.join(WINDOWS)}"),
            "num_mel_bins": (self.num_mel_bins >= 3, "at least 3"),
            "num_ceps": (1 <= self.num_ceps <= self.num_mel_bins, f"1 to num_mel_bins = {self.num_mel_bins}"),
            "low_hz": (0 <= self.low_hz < self.upper_hz, f"0 to the upper edge {self.upper_hz:g} Hz"),
            "high_hz": (self.upper_hz <= self.fs / 2, f"at most half the sampling rate {self.fs} Hz"),
            "dither": (self.dither >= 0, "0 or more"),
        }
        for name, (fulfilled, expected) in limits.items():
            if not fulfilled:
                raise ConfigError(f"{name}: expected {expected}, got {getattr(self, name)}")

    KALDI_NAMES: ClassVar = {
        "sample-frequency": "fs",
        "frame-length": "frame_length_ms",
        "frame-shift": "frame_shift_ms",
        "num-mel-bins": "num_mel_bins",
        "num-ceps": "num_ceps",
        "low-freq": "low_hz",
        "high-freq": "high_hz",
        "dither": "dither",
        "preemphasis-coefficient": "preemphasis",
        "remove-dc-offset": "remove_dc",
        "window-type": "window",
        "blackman-coeff": "blackman_coeff",
        "use-energy": "use_energy",
        "raw-energy": "raw_energy",
        "energy-floor": "energy_floor",
        "cepstral-lifter": "cepstral_lifter",
        "snip-edges": "snip_edges",
        "round-to-power-of-two": "round_to_power_of_two",
    }
    WITHOUT_EFFECT: ClassVar = {
        "allow-downsample": "false",
        "allow-upsample": "false",
        "channel": "-1",
        "debug-mel": "false",
        "htk-compat": "false",
        "subtract-mean": "false",
        "vtln-warp": "1.0",
    }


DEMIXING = MfccConfig(num_ceps=20, num_mel_bins=30, low_hz=20.0, high_hz=7600.0, snip_edges=False)
"""What speaker embedding de-mixing uses, at 16 kHz."""


@dataclass(frozen=True)
class VadConfig:
    """Settings of the detector; the defaults are those of Kaldi's speaker recipes (``conf/vad.conf``)."""

    energy_threshold: float = 5.5  # constant term of the threshold on the log energy
    energy_mean_scale: float = 0.5  # the mean log energy of the utterance times this is added to it
    frames_context: int = 2  # frames on either side that vote
    proportion_threshold: float = 0.12  # share of votes needed, 0 to 1

    def __post_init__(self):
        if self.frames_context < 0:
            raise ConfigError(f"frames_context: expected 0 or more frames, got {self.frames_context}")
        if not 0 <= self.proportion_threshold <= 1:
            raise ConfigError(f"proportion_threshold: expected a share of 0 to 1, got {self.proportion_threshold}")

    KALDI_NAMES: ClassVar = {
        "vad-energy-threshold": "energy_threshold",
        "vad-energy-mean-scale": "energy_mean_scale",
        "vad-frames-context": "frames_context",
        "vad-proportion-threshold": "proportion_threshold",
    }


@dataclass(frozen=True)
class FrontEndConfig:
    """Settings; the defaults are those of speaker embedding de-mixing: 20 MFCC at 16 kHz, mean over 300 frames."""

    mfcc: MfccConfig = DEMIXING
    vad: VadConfig = VadConfig()
    cmvn_window: int = 300  # frames of the sliding mean; 0: no normalisation
    subtract_level: bool = False  # take the utterance's mean of C0 away: features then do not tell the recording level
