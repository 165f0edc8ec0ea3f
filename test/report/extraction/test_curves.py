"""Learning curves: what is drawn, and against what."""

import dataclasses

import pytest

from zspex_toolkit.report.extraction.curves import draw_curves, hours_of_audio, learning_curves
from zspex_toolkit.report.trainings import read_training


@pytest.fixture
def trainings(tse_exp):
    return {system: read_training(tse_exp / system) for system in ("spex_plus", "zspex")}


def test_hours_are_items_times_their_length_without_epochs_that_learn_from_enrollments_alone(trainings):
    training = trainings["zspex"]
    assert hours_of_audio(training) == [1.0, 2.0, 3.0]  # 900 items of 4 s an epoch
    settings = {"draw": {**training.settings["draw"], "speaker_epochs": 2}}
    assert hours_of_audio(dataclasses.replace(training, settings=settings)) == [0.0, 0.0, 1.0]


@pytest.mark.parametrize("change", [{"settings": {}}, {"history": []}, {"history": [{"epoch": 1, "items": None}]}])
def test_a_training_that_does_not_tell_its_items_or_their_length_has_no_hours(trainings, change):
    assert hours_of_audio(dataclasses.replace(trainings["zspex"], **change)) is None


def test_loss_and_gain_are_drawn_against_epochs_and_hours(trainings):
    figure = learning_curves(trainings)
    labels = [(axes.get_xlabel(), axes.get_ylabel()) for axes in figure.axes]
    assert labels == [
        ("", "training loss"),
        ("", ""),
        ("epoch", "validation SI-SDRi, dB"),
        ("hours of trials", ""),
    ]
    spex_plus, zspex = figure.axes[3].lines
    assert (list(zspex.get_xdata()), list(zspex.get_ydata())) == ([1, 2, 3], pytest.approx([10 / 3, 20 / 3, 10]))
    assert spex_plus.get_color() != zspex.get_color()
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["SpEx+", "Z-SpEx"]


def test_each_loss_of_a_sum_has_a_panel_of_its_own(trainings):
    training = trainings["zspex"]
    terms = [{"loss_si_sdr": -1.0 * e, "loss_cross_entropy": 0.5 * e} for e in (1, 2, 3)]
    history = [epoch | {"train": epoch["train"] | of} for epoch, of in zip(training.history, terms, strict=True)]
    trainings["zspex"] = dataclasses.replace(training, history=history, settings={})
    axes = learning_curves(trainings).axes
    names = ["training loss", "si_sdr", "cross_entropy", "validation SI-SDRi, dB"]
    assert [panel.get_ylabel() for panel in axes] == names and axes[3].get_xlabel() == "epoch"
    spex_plus, zspex = axes[2].lines
    assert list(zspex.get_ydata()) == [0.5, 1.0, 1.5] and all(value != value for value in spex_plus.get_ydata())


def test_without_the_hours_of_one_system_there_are_epochs_only(trainings):
    trainings["zspex"] = dataclasses.replace(trainings["zspex"], settings={})
    assert [axes.get_xlabel() for axes in learning_curves(trainings).axes] == ["", "epoch"]


def test_trainings_whose_histories_tell_nothing_of_it_have_no_curves(trainings, tmp_path):
    other = dataclasses.replace(trainings["zspex"], history=[{"epoch": 1, "train": {"mae": 1.0}, "valid": None}])
    assert draw_curves({"a": read_training(tmp_path), "b": other}, tmp_path / "curves.png") is None
    picture = draw_curves(trainings, tmp_path / "curves.png")
    assert picture.path.read_bytes().startswith(b"\x89PNG")
