"""Embeddings of extracted speech: who is chosen, and the figures of a panel."""

import numpy as np
import pytest

from zspex_toolkit.errors import AudioError, UserError
from zspex_toolkit.io.audio import write_audio
from zspex_toolkit.io.data_dir import DataDir
from zspex_toolkit.report.extraction.scores import Scored, read_extraction_scores
from zspex_toolkit.report.extraction.tsne import (
    build_panels,
    choose_trials,
    embed_sources,
    nearest_centroid_accuracy,
    tsne_panels,
)
from zspex_toolkit.report.extraction.tsne_figure import draw_tsne


def scored(counts, condition="present"):
    """Trials of speakers whose first letter is their gender."""
    trials = {
        f"{spk}-{number:02d}": {"target": spk, "condition": condition, "target_gender": spk[0]}
        for spk, count in counts.items()
        for number in range(count)
    }
    return Scored("zspex", "test", "", {"groups": []}, trials)


def test_six_speakers_three_of_each_gender_with_30_trials_each_are_drawn():
    chosen = choose_trials(scored({f"{gender}{n}": 40 for gender in "fm" for n in range(9)}))
    assert [spk[0] for spk in chosen] == list("fffmmm")
    for spk, utts in chosen.items():
        assert len(utts) == len(set(utts)) == 30
        assert utts == sorted(utts) and {utt.split("-")[0] for utt in utts} == {spk}


def test_the_draw_follows_from_the_seed_alone():
    many = scored({f"f{n}": 40 for n in range(9)})
    assert choose_trials(many, seed=1) == choose_trials(many, seed=1)
    assert choose_trials(many, seed=1) != choose_trials(many, seed=2)


def test_where_trials_are_few_the_richest_speakers_are_taken_and_all_get_as_many():
    chosen = choose_trials(scored({"f1": 3, "f2": 9, "m1": 7, "m2": 5, "m3": 8, "f3": 6, "m4": 4}))
    assert list(chosen) == ["f2", "f3", "m1", "m2", "m3", "m4"]
    assert {len(utts) for utts in chosen.values()} == {4}


@pytest.mark.parametrize("counts", [{}, {"f1": 30}, {"f1": 30, "m1": 1}])
def test_fewer_than_two_speakers_of_two_trials_give_nothing(counts):
    assert choose_trials(scored(counts)) == {}


def test_only_present_targets_count():
    assert choose_trials(scored({"f1": 30, "m1": 30}, "absent")) == {}


def test_an_embedding_has_length_1(tse_exp):
    data = DataDir.load(tse_exp.parent / "data" / "trials_test")
    trials = {"test": {"ann": ["ann-dan-1"], "dan": ["dan-ann-0", "dan-ann-1"]}}
    speakers, vectors = embed_sources({("zspex", "test"): data}, trials, tse_exp / "xvector")["zspex", "test"]
    assert speakers == ["ann", "dan", "dan"] and vectors.shape == (3, 6)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)


def test_audio_of_another_rate_and_a_missing_embedder_are_told(tse_exp, tmp_path):
    write_audio(tmp_path / "a.wav", np.full(1600, 0.1, dtype=np.float32), 16000)
    data = DataDir(tmp_path, {"a": "ann"}, {"ann": ["a"]}, {"a": str(tmp_path / "a.wav")}, None)
    with pytest.raises(AudioError, match=f"{tmp_path}: cannot embed: a: .*16000"):
        embed_sources({("zspex", "test"): data}, {"test": {"ann": ["a"]}}, tse_exp / "xvector")
    with pytest.raises(UserError, match="no such file"):
        embed_sources({}, {}, tmp_path)


def cluster(centre, count, rng):
    vectors = np.asarray(centre) + 0.05 * rng.standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_speakers_that_stay_apart_have_high_figures_and_mixed_ones_low():
    rng = np.random.default_rng(0)
    speakers = ["a"] * 8 + ["b"] * 8
    apart = np.concatenate([cluster([1, 0, 0], 8, rng), cluster([0, 1, 0], 8, rng)])
    mixed = cluster([1, 0, 0], 16, rng)
    panels = build_panels({("zspex", "test"): (speakers, apart), ("spex_plus", "test"): (speakers, mixed)})
    good, bad = panels
    assert (good.system, good.set, good.places.shape) == ("zspex", "test", (16, 2))
    assert good.nearest_centroid == 1.0 and good.silhouette > 0.9
    assert bad.nearest_centroid < 0.8 and abs(bad.silhouette) < 0.3
    assert good.facts()["num_speakers"] == 2 and good.facts()["num_embeddings"] == 16


def test_all_panels_come_from_one_plane():
    rng = np.random.default_rng(1)
    same = cluster([1, 1, 0], 12, rng)
    speakers = ["a", "b"] * 6
    one, two = build_panels({("x", "test"): (speakers, same), ("y", "test"): (speakers, same)})
    spread = np.ptp(np.concatenate([one.places, two.places]), axis=0)
    # The same embedding lies at nearly the same place in both panels, which two t-SNEs would not give.
    assert (np.abs(one.places - two.places).mean(0) < 0.1 * spread).all()


def test_an_embedding_is_no_witness_for_itself():
    # Each is its speaker's mean but for itself: alone with an opposite, it is nearer to the other speaker.
    embeddings = np.array([[1.0, 0.0], [-1.0, 0.0], [0.8, 0.6], [0.8, 0.6]])
    assert nearest_centroid_accuracy(embeddings, list("aabb")) == 0.5


@pytest.fixture
def panels(tse_exp):
    def run(embedder=tse_exp / "xvector", sets=("test", "seen"), systems=("spex_plus", "zspex")):
        scored = read_extraction_scores(tse_exp)
        return tsne_panels(tse_exp, tse_exp.parent / "data", embedder, scored, sets, list(systems), seed=0)

    return run


def test_there_is_a_panel_for_every_set_system_and_the_ground_truth(panels, tmp_path):
    found, notes = panels()
    assert [(p.set, p.system, len(p.speakers)) for p in found] == [
        *(("test", system, 60) for system in ("spex_plus", "zspex", "reference")),
        *(("seen", system, 8) for system in ("spex_plus", "zspex", "reference")),
    ]
    assert notes == []
    picture = draw_tsne(found, {"test": "unseen speakers", "seen": "seen speakers"}, tmp_path / "tsne.png")
    assert "6 unseen speakers with 10 trials each, 2 seen speakers with 4 trials each; one" in picture.caption
    assert picture.path.read_bytes().startswith(b"\x89PNG")


def test_a_missing_embedder_or_set_is_a_note(panels, tmp_path):
    assert panels(embedder=tmp_path) == ([], [f"no t-SNE: no embedder in {tmp_path}"])
    found, notes = panels(sets=("nowhere",))
    assert found == []
    assert notes == ["no t-SNE of the set 'nowhere': not every system was scored on it, or it has too few trials"]
