"""Cases are chosen by rank."""

import math

from zspex_toolkit.report.extraction_cases import choose_cases
from zspex_toolkit.report.extraction_scores import Scored


def scored(system, lines):
    trials = {line["id"]: {"condition": "present", "target": "t", **line} for line in lines}
    return Scored(system, "test", "", {"groups": []}, trials)


def eleven(system, kind, shift=0.0):
    """Gains 0, 1, ..., 10 dB in trials named backwards, so that the order of names tells nothing."""
    return scored(system, [{"id": f"{kind[0]}{10 - g:02d}", "pair": kind, "si_sdri": g + shift} for g in range(11)])


def places(cases):
    return [(case.heading, case.place, case.trial) for case in cases]


def test_each_kind_has_its_10th_50th_and_90th_percentile_and_the_worst_comes_last():
    assert places(choose_cases([eleven("zspex", "female")])) == [
        ("Female and female", "10th percentile", "f09"),
        ("Female and female", "median", "f05"),
        ("Female and female", "90th percentile", "f01"),
        ("The worst of all", "lowest mean improvement", "f10"),
    ]


def test_the_mean_over_the_systems_decides_and_the_mixture_has_no_say():
    lines = [{"id": name, "pair": "male", "si_sdri": 0.0} for name in "abc"]
    one = scored("one", [{**line, "si_sdri": gain} for line, gain in zip(lines, (9.0, 5.0, 0.0), strict=True)])
    two = scored("two", [{**line, "si_sdri": gain} for line, gain in zip(lines, (0.0, 5.0, 6.0), strict=True)])
    mixture = scored("mixture", [{**line, "si_sdri": -99.0} for line in lines])
    assert places(choose_cases([mixture, one, two])) == [  # means: a 4.5, b 5, c 3
        ("Male and male", "10th percentile", "c"),
        ("Male and male", "median", "a"),
        ("Male and male", "90th percentile", "b"),
    ]


def test_a_trial_that_a_system_lacks_is_not_chosen():
    one = eleven("one", "different")
    two = scored("two", [{"id": "d05", "pair": "different", "si_sdri": 1.0}])
    assert places(choose_cases([one, two])) == [("Different genders", "10th percentile", "d05")]


def test_a_silent_output_is_the_worst_of_all():
    one = eleven("one", "different")
    one.trials["d03"] |= {"si_sdri": None, "silent": True}
    assert choose_cases([one])[-1].trial == "d03"


def test_the_absent_case_is_the_median_by_energy_left():
    lines = [
        {"id": f"x{n}", "condition": "absent", "energy_left_db": energy, "silent": energy == -math.inf}
        for n, energy in enumerate((-30.0, -10.0, -20.0))
    ]
    assert places(choose_cases([scored("one", lines)])) == [("Target absent", "median energy left", "x2")]


def test_nothing_scored_gives_no_case():
    assert choose_cases([]) == []
    assert choose_cases([scored("one", [])]) == []
