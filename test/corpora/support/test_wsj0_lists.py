"""Lists of wsj0-2mix: three forms of file, one meaning."""

import pytest

from zspex_toolkit.corpora.support.wsj0_lists import Line, list_file, read_list
from zspex_toolkit.errors import ConfigError, DataDirError

ONE, TWO = ("052a050b", "443c020a"), (0.60383, -0.60383)


def read(tmp_path, *lines):
    path = tmp_path / "list"
    path.write_text("".join(f"{line}\n" for line in lines))
    return read_list(path)


BOTH = [Line(ONE, TWO, 0, "052c010r"), Line(ONE, TWO, 1, "443o030y")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (
                "a/052a050b.wv1 0.60383 b/443c020a.wv1 -0.60383 c/052c010r.wv1",
                "b/443c020a.wav -0.60383 a/052a050b.wav 0.60383 c/443o030y.wav",
            ),
            BOTH,
        ),
        (
            (
                "052a050b_0.60383_443c020a_-0.60383_052c010r /home/x/si_dt_05_8k/052/052c010r.wav",
                "052a050b_0.60383_443c020a_-0.60383_443o030y /home/x/si_et_05_8k/443/443o030y.wav",
            ),
            BOTH,
        ),
        (("si/052a050b.wav 0.60383 si/443c020a.wav -0.60383",), [Line(ONE, TWO)]),
    ],
    ids=["for extraction", "keys of SpEx+", "without enrollment"],
)
def test_a_line_names_both_utterances_and_who_enrolls_and_both_targets_share_a_file(tmp_path, lines, expected):
    assert read(tmp_path, *lines) == expected
    assert {line.mixture for line in expected} == {"052a050b_0.60383_443c020a_-0.60383"}


def test_mixtures_are_named_as_matlab_prints_numbers(tmp_path):
    (line,) = read(tmp_path, "423o030d.wav 0.0597141 053o020f.wav -0.0597141")
    assert line.mixture == "423o030d_0.059714_053o020f_-0.059714"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a b c", "expected '<target> <snr> <interferer> <snr> <enrollment>', got 'a b c'"),
        ("a_b /x.wav", "expected '<target> <snr> <interferer> <snr> <enrollment>', got 'a_b /x.wav'"),
        ("a.wav loud b.wav -1", "expected levels in dB as second and fourth field, got 'a.wav loud b.wav -1'"),
        ("052a050b.wav 1 052c020a.wav -1", "both utterances are of speaker 052: '052a050b.wav 1 052c020a.wav -1'"),
        ("052a050b 1 443c020a -1 444c0202", "enrollment '444c0202' is of neither speaker of the mixture, 052 and 443"),
        ("052a050b.wav 0.60383 443c020a.wav -0.60383", "the same as line 1"),
    ],
)  # fmt: skip
def test_a_bad_line_is_named_with_file_and_line(tmp_path, line, message):
    with pytest.raises(DataDirError) as error:
        read(tmp_path, "052a050b.wav 0.60383 443c020a.wav -0.60383", line)
    assert str(error.value) == f"{tmp_path}/list:2: {message}"


def test_an_empty_list_is_refused(tmp_path):
    with pytest.raises(DataDirError, match=r"expected lines of mixtures, the file is empty$"):
        read(tmp_path)


def test_lists_with_enrollments_go_before_those_without(tmp_path):
    (tmp_path / "mix_2_spk_tt.txt").touch()
    assert list_file(tmp_path, "tt") == tmp_path / "mix_2_spk_tt.txt"
    (tmp_path / "tt").mkdir()
    (tmp_path / "tt" / "aux.scp").touch()
    assert list_file(tmp_path, "tt") == tmp_path / "tt" / "aux.scp"
    (tmp_path / "mix_2_spk_tt_extr.txt").touch()
    assert list_file(tmp_path, "tt") == tmp_path / "mix_2_spk_tt_extr.txt"


def test_a_missing_list_names_those_that_are_looked_for(tmp_path):
    with pytest.raises(ConfigError) as error:
        list_file(tmp_path, "cv")
    expected = "mix_2_spk_cv_extr.txt, cv/aux.scp, mix_2_spk_cv.txt"
    assert str(error.value) == f"wsj0_2mix: no list of cv in {tmp_path}: expected one of {expected}; set lists_dir"
