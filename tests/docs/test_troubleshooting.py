"""docs/guides/troubleshooting.md: each command says what stands below it, and each text that it quotes is ours."""

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.paths import DOCS, ROOT
from tests.harness.process import given_keys, run, serving
from vestibule.web.errors import HTTP_MAPPINGS

PAGE = (DOCS / "guides" / "troubleshooting.md").read_text()
BLOCKS = re.findall(r"^```console\n\$ (.*?)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SOURCES = re.sub(r'"\s*\n\s*f?"', "", "".join(path.read_text() for path in (ROOT / "src").rglob("*.py")))
"""All of the package, with literals that run over two lines as one."""
KIT_CODES = {"cannot_tell", "wrong_setup"}
TEXTS = re.findall(r"`((?:the|this|its|which|cannot|could) [^`]*)`", re.sub(r"\s+", " ", PAGE))
NAMES = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", PAGE))


@pytest.mark.parametrize(("command", "shown"), BLOCKS, ids=[command for command, _ in BLOCKS])
def test_a_command_says_what_stands_below_it(command: str, shown: str, tmp_path: Path) -> None:
    words = shlex.split(command)
    settings = dict(word.split("=", 1) for word in words[: words.index("vestibule")])
    done = run(tmp_path, *words[words.index("vestibule") + 1 :], COLUMNS="300", **settings)
    said = " ".join((done.stdout + done.stderr).split())
    for line in shown.splitlines():
        assert " ".join(line.split()) in said


def test_there_are_commands_and_texts_to_check() -> None:
    assert len(BLOCKS) >= 7
    assert len(TEXTS) >= 5
    assert len(NAMES) >= 9


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_that_is_quoted_is_said_somewhere(text: str) -> None:
    assert text in SOURCES


@pytest.mark.parametrize("name", sorted(NAMES))
def test_a_code_or_an_event_that_is_named_is_one(name: str) -> None:
    codes = {refusal.code for refusal in HTTP_MAPPINGS} | KIT_CODES
    assert name in codes or f'"{name}"' in SOURCES


def test_every_symptom_is_in_the_list_above() -> None:
    headings = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert re.findall(r"^\* \[(.+)\]\(#", PAGE, re.MULTILINE) == headings
    for section in PAGE.split("\n## ")[1:]:
        assert "**Fix.**" in section or "| fix |" in section, section


def test_a_preflight_tells_whether_the_origin_is_listed(tmp_path: Path) -> None:
    """The page's curl, by its headers."""
    [line] = re.findall(r"^curl -si -X OPTIONS .*$", PAGE, re.MULTILINE)
    headers = dict(word.split(": ", 1) for word in shlex.split(line) if ": " in word)
    for listed, answered in (("https://app.example.com", True), ("https://app.example.org", False)):
        with serving(tmp_path, ORIGIN=listed, **given_keys()) as server:
            answer = server.ask("OPTIONS", "/api/auth/login", headers=headers)
            assert ("access-control-allow-origin" in answer.headers) is answered
