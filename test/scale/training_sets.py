"""Every set that is trained on, from a made-up data directory; of the samples and features next to nothing is kept."""

from __future__ import annotations

from pathlib import Path

from made_up_data import FRONT_END, FS

from zspex_toolkit.data.augment import AugmentConfig, AugmentedUtterances
from zspex_toolkit.data.drawn_mixtures import DrawConfig, DrawnMixtures
from zspex_toolkit.data.drawn_trials import DrawConfig as TrialConfig
from zspex_toolkit.data.drawn_trials import DrawnTrials
from zspex_toolkit.data.embeddings import LabelledEmbeddings
from zspex_toolkit.data.extraction_trials import StoredTrials
from zspex_toolkit.data.mixture_segments import JoinedMixtures, MixtureSegments, StoredMixtures
from zspex_toolkit.data.speaker_segments import SpeakerSegments
from zspex_toolkit.data.stored_features import StoredFeatures
from zspex_toolkit.data.waveforms import Waveforms
from zspex_toolkit.train.batches import ItemSet

LITTLE = 1 << 16  # bytes kept of samples or features: what grows with the data is to show


def drawn_trials(data: Path, seconds: float = 0.1) -> DrawnTrials:
    config = TrialConfig(
        source_data=data, segment_seconds=seconds, enrollment_seconds=(seconds,), min_utt_s=0, cache_mib=0
    )
    return DrawnTrials(config, FS)


def drawn_mixtures(data: Path) -> MixtureSegments:
    mixtures = DrawnMixtures(_waveforms(data), FRONT_END, DrawConfig(source_data=data))
    return MixtureSegments(mixtures, _speakers(data), given="both", segment_frames=20)


def speaker_segments(data: Path) -> SpeakerSegments:
    return SpeakerSegments(_features(data), _speakers(data), segment_frames=20)


def augmented_segments(data: Path) -> SpeakerSegments:
    features = AugmentedUtterances(_waveforms(data), FRONT_END, AugmentConfig(on_the_fly=True))
    return SpeakerSegments(features, _speakers(data), segment_frames=20)


def stored_mixtures(data: Path) -> MixtureSegments:
    mixtures = JoinedMixtures([StoredMixtures(_features(data))])
    return MixtureSegments(mixtures, _speakers(data), given="both", segment_frames=20)


def stored_trials(data: Path) -> StoredTrials:
    return StoredTrials(data, FS)


def labelled_embeddings(data: Path) -> LabelledEmbeddings:
    return LabelledEmbeddings(data)


SETS = {
    "extraction trials drawn on the fly": drawn_trials,
    "mixtures drawn on the fly": drawn_mixtures,
    "speaker segments of stored features": speaker_segments,
    "speaker segments of augmented waveforms": augmented_segments,
    "stored mixtures": stored_mixtures,
    "stored trials": stored_trials,
    "embeddings": labelled_embeddings,
}


def _waveforms(data: Path) -> Waveforms:
    return Waveforms(data, FS, cache_bytes=LITTLE)


def _features(data: Path) -> StoredFeatures:
    return StoredFeatures(data, FRONT_END, cache_bytes=LITTLE)


def _speakers(data: Path) -> list[str]:
    return [line.split()[0] for line in (data / "spk2utt").open()]


def draw_alone(items: ItemSet, index: int) -> None:
    """What an item of the three sets that are drawn looks up in tables, without reading or computing signals."""
    if isinstance(items, DrawnTrials):
        items.draw(0, index)
    elif isinstance(items, SpeakerSegments):
        features, utt = items._features, items.name(index)
        assert features.utt2spk[utt] and features._feats.specs[utt] and features._voiced.specs[utt]
    else:
        mixtures = items._mixtures
        mixtures.plan(0, index)
