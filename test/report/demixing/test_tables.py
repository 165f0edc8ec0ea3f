"""The tables as text, figure by figure."""

import dataclasses
import json

from zspex_toolkit.report.cells import number
from zspex_toolkit.report.demixing.scores import read_scores
from zspex_toolkit.report.demixing.tables import (
    accuracy_lines,
    build_tables,
    column_label,
    detail_lines,
    ratio_lines,
    ratios,
    row_label,
)


def table_2(exp):
    return build_tables(read_scores(exp))[0]


def test_the_accuracy_table_has_the_papers_layout(exp):
    assert accuracy_lines(table_2(exp)) == [
        "| Function | -5 dB train | -5 dB test | *-5 dB paper* | 0 dB train | 0 dB test | *0 dB paper* "
        "| 5 dB train | 5 dB test | *5 dB paper* |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| Before | 25.0 | 25.0 | *36.5* | 25.0 | 25.0 | *58.4* | 25.0 | 25.0 | *72.5* |",
        "| Sub | 50.0 | 50.0 | *86.2* | 50.0 | 50.0 | *89.9* | 50.0 | 50.0 | *95.2* |",
        "| Mul | 75.0 | **75.0** | *83.7* | 75.0 | **75.0** | *88.8* | 75.0 | **75.0** | *94.8* |",
        "| Concat1 | – | – | *52.9* | – | – | *56.8* | – | – | *68.8* |",
        "| Concat2 | – | – | *64.5* | – | – | *70.3* | – | – | *88.5* |",
        "| Share-Concat | – | – | *58.9* | – | – | *86.0* | – | – | *92.9* |",
        "| Separate-Concat | – | – | *82.5* | – | – | *93.0* | – | – | *96.9* |",
        "| Clean | 100.0 | 100.0 | *98.5* | 100.0 | 100.0 | *98.5* | 100.0 | 100.0 | *98.5* |",
    ]


def test_the_ratio_is_the_best_function_over_clean(exp):
    assert ratio_lines(table_2(exp)) == [
        "|  | Best function | Best / Clean | *paper* |",
        "| --- | --- | ---: | ---: |",
        "| -5 dB | Mul | 0.750 | *0.875* |",
        "| 0 dB | Mul | 0.750 | *0.944* |",
        "| 5 dB | Mul | 0.750 | *0.984* |",
    ]


def test_there_is_no_ratio_without_clean(exp):
    for path in exp.glob("baseline/*/scores.json"):
        path.unlink()
    assert [line["ratio"] for line in ratios(table_2(exp))] == [None, None, None]


def test_the_details_of_a_cell_are_worked_from_its_score(exp):
    lines = detail_lines(table_2(exp), "test")
    assert lines[0] == "| Function |  | Trials | Dropped | Accuracy % | 95 % interval | Cosine | MAE | EER % |"
    assert "| Before | -5 dB | 8 | 1 | 25.0 | 12.5 to 37.5 | 0.875 | – | 6.2 |" in lines
    assert "| Sub | 0 dB | 8 | 1 | 50.0 | 37.5 to 62.5 | 0.875 | 0.2500 | 6.2 |" in lines
    assert len(lines) == 2 + 4 * 3


def test_missing_cells_are_listed_and_never_filled(exp):
    folder = exp / "demix_e2_snr0_multiply"
    rows = json.loads((folder / "scores.json").read_text())
    (folder / "scores.json").write_text(json.dumps([row for row in rows if row["set"] == "train"]))
    table = table_2(exp)
    assert table.missing() == ["Mul: 0 dB test", "not run: Concat1, Concat2, Share-Concat, Separate-Concat"]
    assert "| Mul | 75.0 | **75.0** | *83.7* | 75.0 | – | *88.8* | 75.0 | **75.0** | *94.8* |" in accuracy_lines(table)


def test_a_function_the_paper_lacks_stands_before_clean_without_a_printed_figure(exp):
    modulate = [dataclasses.replace(s, function="modulate") for s in read_scores(exp) if s.function == "multiply"]
    table = build_tables(read_scores(exp) + modulate)[0]
    assert table.rows[-2:] == ("modulate", "clean")
    assert accuracy_lines(table)[-2] == (
        "| Modulate | 75.0 | 75.0 | – | 75.0 | 75.0 | – | 75.0 | 75.0 | – |"
    )  # Mul has the same accuracy and comes first


def test_an_snr_the_paper_lacks_gets_a_column_without_a_printed_figure(exp):
    extra = [
        dataclasses.replace(score, snr_db=10.0, condition="snr10") for score in read_scores(exp) if score.snr_db == 5.0
    ]
    table = build_tables(read_scores(exp) + extra)[0]
    assert table.columns == (-5.0, 0.0, 5.0, 10.0)
    assert ratio_lines(table)[-1] == "| 10 dB | Mul | 0.750 | – |"


def test_controls_are_no_cells(exp):
    scores = read_scores(exp)
    shuffled = [dataclasses.replace(score, control="shuffled", accuracy=0.0) for score in scores]
    assert build_tables(scores + shuffled) == build_tables(scores)


def test_microphones_make_table_4_and_clean_is_its_headset(exp):
    scores = [
        dataclasses.replace(score, condition="array1", snr_db=None) for score in read_scores(exp) if score.snr_db == 0.0
    ]
    tables = build_tables(scores)
    assert [(table.number, table.given) for table in tables] == [(4, "e2"), (4, "e1")]
    assert tables[0].columns == ("array1", "array2")
    assert accuracy_lines(tables[0])[-1] == "| Headset | 100.0 | 100.0 | *99.1* | – | – | *99.1* |"
    assert accuracy_lines(tables[1])[-1] == "| Headset | 100.0 | 100.0 | – | – | – | – |"
    assert row_label(tables[0], "clean") == "Headset"


def test_the_second_microphone_is_called_m2():
    assert column_label("array2") == "M2"


def test_a_figure_that_was_not_measured_is_a_dash():
    assert number(None) == "–"
    assert number(0.9444, 3) == "0.944"
