"""Settings of the front end, apart from its computation: a command reads them before it loads torch."""

from dataclasses import dataclass

from zspex_toolkit.signal.mfcc_config import DEMIXING, MfccConfig
from zspex_toolkit.signal.vad_config import SPEAKER, VadConfig


@dataclass(frozen=True)
class FrontEndConfig:
    """Settings; the defaults are those of speaker embedding de-mixing: 20 MFCC at 16 kHz, mean over 300 frames."""

    mfcc: MfccConfig = DEMIXING
    vad: VadConfig = SPEAKER
    cmvn_window: int = 300  # frames of the sliding mean; 0: no normalisation
    subtract_level: bool = False  # take the utterance's mean of C0 away: features then do not tell the recording level


DEMIXING_FRONT_END = FrontEndConfig()
"""What speaker embedding de-mixing uses."""
