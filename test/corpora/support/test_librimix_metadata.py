"""LibriMix's CSVs: columns by name, ids that fit their sources, speakers written as floats."""

import pytest

from zspex_toolkit.corpora.support.librimix_metadata import read_genders, read_metadata, read_speakers
from zspex_toolkit.errors import DataDirError

HEADER = "mixture_ID,source_1_path,source_1_gain,source_2_path,source_2_gain,noise_path,noise_gain"
LINE = (
    "3536-8226-0026_1673-143397-0009,dev-clean/3536/8226/3536-8226-0026.flac,0.7925878276419455,"
    "dev-clean/1673/143397/1673-143397-0009.flac,0.2142791008161834,cv/20oo0109_0.72115_01ua010r_-0.72115.wav,1.1114"
)


def write(tmp_path, *lines):
    path = tmp_path / "libri2mix_dev-clean.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_line_of_the_published_metadata(tmp_path):
    (row,) = read_metadata(write(tmp_path, HEADER, LINE))
    assert row.id == "3536-8226-0026_1673-143397-0009"
    assert row.sources[0] == "dev-clean/3536/8226/3536-8226-0026.flac"
    assert row.gains == (0.7925878276419455, 0.2142791008161834)
    assert (row.noise, row.noise_gain) == ("cv/20oo0109_0.72115_01ua010r_-0.72115.wav", 1.1114)
    assert row.utterances == ("3536-8226-0026", "1673-143397-0009")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((HEADER.replace("noise_gain", "gain"), LINE), f"1: expected the columns {HEADER}; noise_gain missing"),
        ((HEADER, LINE, LINE), "3: mixture '3536-8226-0026_1673-143397-0009' is there twice"),
        ((HEADER, LINE.replace(",1.1114", "")), "2: expected 7 fields separated by commas"),
        ((HEADER, LINE + ",x"), "2: expected 7 fields separated by commas"),
        ((HEADER, LINE.replace("1.1114", "x")), "2: expected gains as numbers, expected a number, got 'x'"),
        (
            (HEADER, LINE.replace("26_1673", "27_1673")),
            "2: mixture '3536-8226-0027_1673-143397-0009' is not named by its sources "
            "('3536-8226-0026', '1673-143397-0009')",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_file_and_line(tmp_path, lines, message):
    path = write(tmp_path, *lines)
    with pytest.raises(DataDirError) as error:
        read_metadata(path)
    assert str(error.value) == f"{path}:{message}"


INFO = "mixture_ID,speaker_1_ID,speaker_1_sex,speaker_2_ID,speaker_2_sex"


def test_speakers_written_as_floats_get_their_names_back(tmp_path):
    path = write(tmp_path, INFO, "a_b,5895.0,F,3853.0,F", "c_d,251.0,M,5895.0,F")
    assert read_genders(path) == {"5895": "f", "3853": "f", "251": "m"}


@pytest.mark.parametrize("fields", ["x,F", "251.0,?"])
def test_a_speaker_without_number_or_sex_is_named_with_file_and_line(tmp_path, fields):
    path = write(tmp_path, INFO, f"a_b,{fields},1.0,M")
    with pytest.raises(DataDirError) as error:
        read_genders(path)
    assert str(error.value) == f"{path}:2: expected a speaker and M or F, got '{fields}'"


def test_librispeech_s_table_of_speakers_is_read_past_its_comments(tmp_path):
    path = tmp_path / "SPEAKERS.TXT"
    path.write_text(";ID  |SEX| SUBSET\n14   | F | train-clean-360  | 25.03 | Ann\n1034 | M | x | 1 | B | C\n")
    assert read_speakers(path) == {"14": "f", "1034": "m"}
