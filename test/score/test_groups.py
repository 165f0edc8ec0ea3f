"""Tests of the means over groups of trials, worked by hand."""

import pytest

from zspex_toolkit.score.groups import bin_of, summarise


def row(name="ann-m1", **changes):
    return {
        "id": name,
        "target": name.partition("-")[0],
        "pair": "different",
        "condition": "present",
        "enrolls_with_target": None,
        "enrollment_seconds": 3.0,
        "snr_db": 0.0,
        "overlap": 1.0,
        "presence": None,
        "energy_left_db": -3.0,
        "silent": False,
        "si_sdr": 10.0,
        "si_sdr_mixture": 0.0,
        "si_sdri": 10.0,
        "si_sdr_interferer": -10.0,
    } | changes


def silent(name, **changes):
    measured = ("si_sdr", "si_sdr_mixture", "si_sdri", "si_sdr_interferer")
    return {key: value for key, value in row(name, silent=True, **changes).items() if key not in measured}


def group(rows, by="all", value="all", **options):
    (found,) = [one for one in summarise(rows, **options) if (one["by"], one["value"]) == (by, value)]
    return found


def mean(rows, name, by="all", value="all", **options):
    return group(rows, by, value, **options)["metrics"][name]["mean"]


def test_the_mean_has_an_interval_and_its_number_of_trials():
    rows = [row(f"spk{number % 5}-m{number}", si_sdri=float(number % 2)) for number in range(100)]
    found = group(rows)["metrics"]["si_sdri"]
    assert (found["mean"], found["num_trials"]) == (0.5, 100)
    # Standard error 0.5 / 10; 1.96 of them to either side.
    assert found["interval"] == pytest.approx([0.5 - 0.098, 0.5 + 0.098], abs=0.02)


def test_trials_of_one_speaker_make_the_speaker_interval_wider():
    rows = [row(f"spk{number % 5}-m{number}", si_sdri=float(number % 5)) for number in range(100)]
    found = group(rows)["metrics"]["si_sdri"]
    widths = {name: found[name][1] - found[name][0] for name in ("interval", "speaker_interval")}
    assert widths["speaker_interval"] > 3 * widths["interval"]


def test_one_speaker_has_no_speaker_interval():
    found = group([row(f"spk-m{number}", si_sdri=float(number % 2)) for number in range(100)])["metrics"]["si_sdri"]
    assert found["speaker_interval"] is None and found["interval"][0] < 0.5 < found["interval"][1]


def test_shares_count_failures():
    rows = [
        row("a-1"),
        row("b-2", si_sdri=1.0),  # not above 1 dB
        row("c-3", si_sdri=-12.0, si_sdr=-12.0, si_sdr_interferer=12.0),
        silent("d-4"),
    ]
    assert mean(rows, "share_above_1_db") == 0.25
    assert mean(rows, "confusion") == 0.25
    assert mean(rows, "silent_output") == 0.25
    assert group(rows)["metrics"]["si_sdri"]["num_trials"] == 3
    assert mean(rows, "si_sdri") == pytest.approx(-1 / 3, abs=1e-4)


def test_all_holds_the_trials_of_two_speakers_only():
    rows = [row("a-1"), row("b-2", condition="single", si_sdri=None), silent("c-3", condition="absent")]
    assert group(rows)["num_trials"] == 1
    assert {one["value"]: one["num_trials"] for one in summarise(rows) if one["by"] == "condition"} == {
        "present": 1,
        "absent": 1,
        "single": 1,
    }
    assert group(rows[2:])["num_trials"] == 1  # a list of nothing else is not empty


def test_presence_tells_rejections_from_acceptances():
    rows = [row(f"a-{n}", presence=p) for n, p in enumerate((0.9, 0.6, 0.4, 0.2))]
    rows += [silent(f"b-{n}", condition="absent", presence=p) for n, p in enumerate((0.5, 0.1, 0.3, 0.2))]
    rows += [row("c-1", condition="single", presence=0.3)]
    assert mean(rows, "false_rejection", "condition", "present") == 0.5
    assert mean(rows, "false_acceptance", "condition", "absent") == 0.25  # 0.5 is accepted
    assert mean(rows, "false_rejection", "condition", "single") == 1.0
    assert mean(rows, "false_rejection", "condition", "present", threshold=0.3) == 0.25
    assert "false_acceptance" not in group(rows)["metrics"]


def test_without_a_presence_there_is_no_rejection():
    assert not {"false_rejection", "false_acceptance"} & set(group([row()])["metrics"])


def test_energy_left_is_a_measure_of_absent_targets_only():
    rows = [row("a-1"), silent("b-2", condition="absent", energy_left_db=-40.0)]
    assert mean(rows, "energy_left_db", "condition", "absent") == -40.0
    assert "energy_left_db" not in group(rows)["metrics"]


def test_trials_fall_into_bins_of_what_was_measured():
    rows = [row(f"a-{n}", snr_db=snr) for n, snr in enumerate((-5.03, -5.2, -2.5, 0.0, 4.98, 5.04, 7.0))]
    counts = {one["value"]: one["num_trials"] for one in summarise(rows) if one["by"] == "snr_db"}
    assert counts == {
        "below -5 dB": 1,
        "-5 to -2.5 dB": 1,
        "-2.5 to 0 dB": 1,
        "0 to 2.5 dB": 1,
        "2.5 to 5 dB": 2,
        "above 5 dB": 1,
    }


def test_every_grouping_by_hand():
    rows = [
        row("a-1", pair="female", overlap=0.5, enrollment_seconds=1.5),
        row("b-2", pair="male", overlap=1.0, enrollment_seconds=5.0),
        row("c-3", pair="unknown", overlap=None, snr_db=None, enrollment_seconds=20.0),
    ]
    counts = {(one["by"], one["value"]): one["num_trials"] for one in summarise(rows)}
    assert counts == {
        ("all", "all"): 3,
        ("pair", "female"): 1,
        ("pair", "male"): 1,
        ("snr_db", "0 to 2.5 dB"): 2,
        ("enrollment_seconds", "below 2 s"): 1,
        ("enrollment_seconds", "4 to 6 s"): 1,
        ("enrollment_seconds", "above 15 s"): 1,
        ("overlap", "50 to 75 %"): 1,
        ("overlap", "75 to 100 %"): 1,
        ("condition", "present"): 3,
    }


def test_leaking_enrollments_stand_apart_where_they_are_known():
    rows = [row("a-1", enrolls_with_target=True, si_sdri=15.0), row("b-2", enrolls_with_target=False)]
    assert mean(rows, "si_sdri", "enrollment", "target itself") == 15.0
    assert mean(rows, "si_sdri", "enrollment", "other utterance") == 10.0
    assert mean(rows, "si_sdri") == 12.5
    assert not [one for one in summarise([row()]) if one["by"] == "enrollment"]


def test_the_last_edge_belongs_to_the_bin_below_it():
    edges = (0.0, 50.0, 100.0)
    names = ("0 to 50 %", "50 to 100 %", "50 to 100 %")
    assert tuple(bin_of(value, edges, "%") for value in (0.0, 50.0, 100.0)) == names
