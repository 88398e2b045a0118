"""`docs/security.md` says which test shows which row, and cannot say it wrongly."""

from collections import Counter

from tools.docs import security


def test_every_row_has_the_tests_that_name_it() -> None:
    assert security.PAGE.read_text() == security.security_page(), "docs/security.md is out of date; run: make docs"


def test_no_test_names_a_row_that_is_not_there() -> None:
    assert sorted(set(security.shown_by()) - set(security.rows())) == []


def test_no_row_is_there_twice() -> None:
    assert [row for row, times in Counter(security.rows()).items() if times > 1] == []


def test_a_row_without_a_test_says_so() -> None:
    page, shown = security.PAGE.read_text(), security.shown_by()
    silent = [row for row in security.rows() if row not in shown]
    assert page.count(f"| {security.NOT_YET} |") == len(silent)
