"""The small questions that many rooms ask: which host is this machine, and which text is UTF-8."""

import pytest

from vestibule.protocol.this_machine import LOCALHOST, is_this_machine
from vestibule.protocol.utf8 import is_utf8

HERE = (*sorted(LOCALHOST), "LOCALHOST", "auth.localhost", "127.0.0.2", "127.255.255.254", "0:0:0:0:0:0:0:1")
ELSEWHERE = (
    *("", "auth.example.com", "localhost.example.com", "notlocalhost", ".localhost", "127.0.0.1.example.com"),
    *(
        "::11",
        "10.0.0.1",
        "0.0.0.0",
        "1127.0.0.1",
        "[::1]",
        "localhost:8000",
        "127.1",
        "0:0:0:0:0:0:0:11",
        "localhost\n",
    ),
)


@pytest.mark.parametrize("host", HERE)
def test_the_loopback_interface_is_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_nothing_else_is(host: str) -> None:
    assert not is_this_machine(host)


@pytest.mark.parametrize("text", ["", "Ada", "Ada L\u00f8velace", "\U0001f600", "\0", "\ue000"])
def test_every_text_is_utf8(text: str) -> None:
    assert is_utf8(text)


@pytest.mark.parametrize("text", ["\udcff", "Ada\ud800", "\udfff!"])
def test_bytes_that_python_keeps_as_halves_of_signs_are_not(text: str) -> None:
    assert not is_utf8(text)
