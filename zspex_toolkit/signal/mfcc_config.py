"""Settings of the cepstral features, apart from their computation: a command reads them before it loads torch."""

from dataclasses import dataclass

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

    def __post_init__(self):
        limits = {
            "fs": (self.fs > 0, "a positive rate in Hz"),
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


KALDI = MfccConfig()
"""Kaldi's own defaults, dither aside."""

DEMIXING = MfccConfig(num_ceps=20, num_mel_bins=30, low_hz=20.0, high_hz=7600.0, snip_edges=False)
"""What speaker embedding de-mixing uses, at 16 kHz."""

# Kaldi's option -> field
KALDI_NAMES = {
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
# options of Kaldi's whose other values this toolkit does not have
WITHOUT_EFFECT = {
    "allow-downsample": "false",
    "allow-upsample": "false",
    "channel": "-1",
    "debug-mel": "false",
    "htk-compat": "false",
    "subtract-mean": "false",
    "vtln-warp": "1.0",
}
