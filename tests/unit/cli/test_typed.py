"""C11: what is typed wrongly, for every command and option there is: one line that says what to do, status 2."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import typer
from typer.core import TyperOption

from tests.harness.process import complaint, run
from tests.unit.cli import every
from vestibule.cli import commands, session, usage
from vestibule.cli.usage import WrongUsage
from vestibule.model.events import EventKind

NO_NUMBERS = ["", "x", "nan", "inf", "-inf", "-1", "1e400", "9" * 5000, "1,5"]


def refused(name: str, *arguments: str) -> str:
    """What is said to a command line that is typed so; nothing is run."""
    program: typer.Typer = session.session_commands if name in every.OF_A_PERSON else commands.build()
    with pytest.raises(WrongUsage) as fault:
        usage.run(program, args=[*name.split(), *arguments])
    assert fault.value.status == 2
    assert "\n" not in str(fault.value)
    return str(fault.value)


def numbers() -> list[tuple[str, str]]:
    """Every option that is a number, with its command."""
    found = []
    for name, command in every.leaves().items():
        hints = get_type_hints(command.callback)
        for parameter in command.params:
            kinds = {hints.get(parameter.name or ""), *get_args(hints.get(parameter.name or ""))}
            if isinstance(parameter, TyperOption) and kinds & {int, float}:
                found.append((name, parameter.opts[0]))
    return found


def test_c11_an_option_that_there_is_not() -> None:
    for name in every.NEEDED.keys() - {"keys withdraw"}:
        said = refused(name, *every.NEEDED[name], "--no-such-thing")
        assert "No such option: --no-such-thing" in said
        assert said.endswith(f"; see: vestibule {name} --help")


def test_c11_one_word_too_many_or_too_few() -> None:
    for name in every.NEEDED.keys() - {"mail retry", "roles create", "roles set", "users set-roles"}:
        assert "More was given than this command takes" in refused(name, *every.NEEDED[name], "one", "more")
    for name in ("copy-database", "keys withdraw", "services create", "users create", "users delete", "mail test"):
        assert "Missing" in refused(name)


def test_c11_no_such_command() -> None:
    assert refused("srve").endswith("; see: vestibule --help")
    assert refused("users mak").endswith("; see: vestibule users --help")


def test_c11_a_number_that_is_none() -> None:
    assert set(numbers()) >= {
        ("serve", "--port"),
        ("serve", "--workers"),
        ("events", "--hours"),
        ("events", "--limit"),
        ("mail list", "--limit"),
    }
    for name, option in numbers():
        for text in NO_NUMBERS:
            assert option in refused(name, f"{option}={text}")


def test_c11_a_wrong_value_is_told_in_our_words() -> None:
    """And not in those of the library that judges it, which are about Python's types."""
    ranges = {"--port": "0 to 65535", "--workers": "1 to 64", "--limit": "1 to 10"}
    wrong = [(name, option, text) for name, option in numbers() for text in NO_NUMBERS]
    wrong += [("events", "--kind", "x"), ("keys rotate", "--use", "x"), ("keys generate", "--bits", "5")]
    for name, option, text in [*wrong, ("mail test", "--language", "xx")]:
        said = refused(name, *every.NEEDED[name], f"{option}={text}")
        assert re.search("Input should|Value error|unable to|<|class|Error|float|int[ ,]", said) is None, said
        assert ranges.get(option, "") in said
    assert "give one of access, refresh, both; see" in refused("keys rotate", "--use", "x")


def test_c11_it_is_a_line_of_the_program(tmp_path: Path) -> None:
    done = run(tmp_path, "events", "--hours", "inf")
    assert (done.returncode, done.stdout) == (2, "")
    assert complaint(done.stderr).startswith("Invalid value for '--hours'")


def test_c11_a_number_just_out_of_range_is_shown_as_it_was_typed(tmp_path: Path) -> None:
    said = complaint(run(tmp_path, "events", "--hours", "1000000.5").stderr)
    assert said.startswith("Invalid value for '--hours': 1000000.5 is not more than 0 and at most 1,000,000"), said


def test_c11_every_command_helps_by_its_letter(capsys: pytest.CaptureFixture[str]) -> None:
    for name in every.NEEDED:
        program: typer.Typer = session.session_commands if name in every.OF_A_PERSON else commands.build()
        with pytest.raises(SystemExit) as end:
            usage.run(program, args=[*name.split(), "-h"])
        assert end.value.code == 0, name
        assert "--help" in capsys.readouterr().out


def test_c11_help_cuts_no_word_at_eighty_columns(tmp_path: Path) -> None:
    shown = run(tmp_path, "events", "--help", COLUMNS="80").stdout
    for kind in EventKind:
        assert re.search(rf"(?<!\w){kind.value}(?!\w)", shown), kind


def test_c15_what_is_typed_and_is_no_text() -> None:
    for name in every.NEEDED:
        for typed in ("\udcff", "--url=\udcff", "--no-such-thing=\udcff"):
            assert "is not UTF-8" in refused(name, *every.NEEDED[name], typed)
    assert refused("\udcff").endswith("see: vestibule --help")


@pytest.mark.parametrize("url", ["http://localhost:abc", "http://localhost:99999", "http://[", "https://a:-1/"])
def test_c15_an_address_whose_port_is_none(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is not an address such as" in refused("doctor", "--url", url)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in every.OF_A_PERSON:
        with pytest.raises(SystemExit) as end:
            usage.run(session.session_commands, args=[*name.split(), "--url", url])
        said = capsys.readouterr().err
        assert (end.value.code, said.count("\n")) == (2, 1), said
