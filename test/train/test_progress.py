import math

from zspex_toolkit.train.progress import Averages, EpochStatistics, Progress


def test_epochs_since_the_best_are_counted_and_not_a_number_is_never_best():
    progress = Progress()
    assert [progress.add_metric(value) for value in (math.nan, 3.0, 2.0, 2.0, math.nan)] == [
        True,
        True,
        True,
        False,
        False,
    ]
    assert progress.epochs_without_progress() == 2


def test_no_epoch_is_no_lack_of_progress():
    assert Progress().epochs_without_progress() == 0


def test_it_survives_a_checkpoint():
    running = EpochStatistics(averages=Averages({"loss": 1 / 3}, 7), grad_norm_sum=0.1, num_bad_steps=2)
    progress = Progress(epoch=3, step=4, global_step=19, bad_in_a_row=1, metrics=[0.5, 0.25], running=running)
    assert Progress.from_dict(progress.to_dict()) == progress


def test_the_share_of_waiting_is_of_the_training_part():
    running = EpochStatistics(
        Averages({}, 32),
        grad_norm_sum=6.0,
        num_good_steps=4,
        num_bad_steps=1,
        num_bad_items=8,
        seconds=10.0,
        waited=2.5,
    )
    assert running.summary(validation_seconds=5.0) == {
        "seconds": 15.0,
        "data_share": 0.25,
        "grad_norm": 1.5,
        "steps": 5,
        "items": 40,
        "bad_steps": 1,
        "bad_items": 8,
    }
    assert math.isnan(EpochStatistics().summary(0.0)["grad_norm"])


def test_a_batch_without_rows_for_a_statistic_does_not_count_for_it():
    averages = Averages()
    averages.add({"loss": 1.0, "si_sdr": math.nan}, 2)
    averages.add({"loss": 4.0, "si_sdr": 7.0}, 1)
    assert averages.means() == {"loss": 2.0, "si_sdr": 7.0}


def test_a_loss_that_is_not_a_number_is_never_passed_over():
    averages = Averages()
    averages.add({"loss": math.nan}, 2)
    averages.add({"loss": 4.0}, 1)
    assert math.isnan(averages.means()["loss"])
