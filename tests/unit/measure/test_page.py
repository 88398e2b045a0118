"""docs/performance.md as `make bench` writes it."""

import re
from pathlib import Path

import pytest

from measure.machine import Machine
from measure.speed.page import page
from measure.speed.results import Contender, Results
from tests.unit.measure.figures import run_of

MACHINE = Machine("2027-01-02", "A Processor", 2, "3.11.7", "Linux x86_64")


def shown(found: Results) -> str:
    return page(MACHINE, "make bench", found)


def test_it_says_where_it_was_measured_and_what_the_server_chose() -> None:
    text = " ".join(shown(run_of()).split())
    assert "Written by `make bench` on 2027-01-02. Machine: A Processor, 2 cores, Linux x86_64" in text
    assert "with libsodium: when the server started, a small hash took 4 ms with argon2-cffi and 2.2 ms" in text
    assert "on 2 threads of low priority, as in the server. Access tokens are signed with RS256 (RSA of" in text
    assert "falls short" not in text.lower()


def test_what_falls_short_is_followed_by_its_reason() -> None:
    text = shown(run_of(3.0))
    targets = text.partition("## Targets")[2].partition("\n## ")[0]
    assert targets.count("| falls short |") == targets.count("\n* ") > 10
    assert "\nWhere it falls short:\n" in targets


def test_every_table_is_whole_and_no_line_is_too_long() -> None:
    text = shown(run_of(3.0))
    assert len(re.findall(r"^## ", text, re.MULTILINE)) == 11
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table
    prose = [line for line in text.splitlines() if not line.startswith(("|", "Written"))]
    assert max(map(len, prose)) <= 116


def test_what_revocations_take_in_a_service_is_told_for_a_hundred_thousand_of_them() -> None:
    found = run_of()
    found.revocations = 200_000
    text = " ".join(shown(found).split())
    assert "while 200,000 revocations are in force" in text
    assert "Where nothing is revoked it is 48 MB, so 100,000 revocations take 10 MB." in text


def test_the_one_that_cannot_be_measured_is_left_out_with_the_reason() -> None:
    found = run_of()
    del found.beside[Contender.BETTER_AUTH], found.hashes[Contender.BETTER_AUTH]
    found.left_out[Contender.BETTER_AUTH] = "Node.js is not on this machine"
    text = " ".join(shown(found).split())
    assert "Better Auth was left out: Node.js is not on this machine." in text
    assert "| Better Auth |" not in text


def test_the_picture_is_drawn_without_those_left_out_too(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="make .venv/plot.stamp installs it")
    from measure.speed.plot import draw

    found = run_of()
    del found.beside[Contender.BETTER_AUTH]
    draw(found, tmp_path / "performance.png")
    assert (tmp_path / "performance.png").stat().st_size > 10_000
