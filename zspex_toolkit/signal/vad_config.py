"""Settings of the voice activity detector, apart from its computation: a command reads them before it loads torch."""

from dataclasses import dataclass

from zspex_toolkit.errors import ConfigError


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


SPEAKER = VadConfig()
"""What Kaldi's speaker recipes use."""

# Kaldi's option -> field
KALDI_NAMES = {
    "vad-energy-threshold": "energy_threshold",
    "vad-energy-mean-scale": "energy_mean_scale",
    "vad-frames-context": "frames_context",
    "vad-proportion-threshold": "proportion_threshold",
}
