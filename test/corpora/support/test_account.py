"""What went in, what was kept and what was not, and why."""

import pytest

from zspex_toolkit.corpora.support.account import Account
from zspex_toolkit.errors import DataDirError


def test_the_summary_counts_reasons_the_most_frequent_first():
    account = Account("timit")
    account.drop("a-1", "empty audio")
    for utt in ("a-2", "a-3"):
        account.leave_out(utt, "SA sentence")
    assert account.summary(97) == "timit: in 100, kept 97, dropped 3 (SA sentence: 2, empty audio: 1)"


def test_the_list_of_what_was_dropped_is_sorted_and_gives_reasons(tmp_path, capsys):
    account = Account("timit")
    account.drop("b-1", "empty audio")
    account.leave_out("a-1", "SA sentence")
    account.report(8, tmp_path / "data")
    assert (tmp_path / "data" / "dropped.txt").read_text() == "a-1 SA sentence\nb-1 empty audio\n"
    assert capsys.readouterr().out == "timit: in 10, kept 8, dropped 2 (SA sentence: 1, empty audio: 1)\n"


def test_one_fault_in_twenty_is_suffered_and_one_more_is_not():
    account = Account("timit")
    account.drop("a-1", "empty audio")
    account.check(19, "/corpora/timit")
    account.drop("a-2", "missing file")
    with pytest.raises(DataDirError) as error:
        account.check(18, "/corpora/timit")
    assert str(error.value) == (
        "timit: in 20, kept 18, dropped 2 (empty audio: 1, missing file: 1): "
        "more than the 5 % at fault that the option max_fault_share allows; "
        "first: a-1: empty audio; nothing was written"
    )


def test_leaving_out_on_purpose_is_no_fault():
    account = Account("timit")
    for number in range(1000):
        account.leave_out(f"a-{number}", "SA sentence")
    account.check(1, "/corpora/timit")


def test_nothing_found_and_nothing_left_are_told_apart():
    account = Account("timit")
    with pytest.raises(DataDirError, match=r"^timit: found no recording under /x; is it the corpus's root\?$"):
        account.check(0, "/x")
    account.leave_out("a-1", "SA sentence")
    with pytest.raises(DataDirError, match=r"dropped 1 \(SA sentence: 1\): nothing is left of /x$"):
        account.check(0, "/x")
