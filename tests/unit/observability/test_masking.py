"""L3: where an operator wants no client's address in the log, there is none, in any line."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.harness.process import given_keys, register, run, serving, sign_in
from tests.harness.servers import wait_until
from vestibule.observability.logs import masked_address, masked_mailboxes


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1234:5678::1", "2001:db8:1234::/48"),
        ("::1", "::/48"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("", "masked"),
        ("a\nforged line", "masked"),
    ],
)
def test_l3_an_address_becomes_its_network(address: str, shown: str) -> None:
    assert masked_address(address) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("550 5.1.1 <ada.lovelace@example.com>: no mailbox", "550 5.1.1 <a***@example.com>: no mailbox"),
        ("ada+x@a.example, b@b.example", "a***@a.example, b***@b.example"),
        ("postgresql://ada:hush@db.example.com/x", "postgresql://ada:h***@db.example.com/x"),
        ("a" * 100_000, "a" * 100_000),
        ("no address @ all", "no address @ all"),
    ],
    ids=["a mail server's words", "two", "a password in a URL", "long", "none"],
)
def test_l3_an_email_keeps_a_letter_and_its_domain(said: str, shown: str) -> None:
    assert masked_mailboxes(said) == shown


SAYING = """
import logging, structlog
from vestibule.observability import logs

logs.configure("info", pretty={pretty}, masked=True)
structlog.get_logger().warning("letter_put_off", fault="550 no mailbox ada@example.com")
try:
    raise RuntimeError("key (address)=(ada@example.com) exists")
except RuntimeError:
    structlog.get_logger().exception("unexpected")
    logging.getLogger("asyncio").exception("never retrieved: ada@example.com")
"""


@pytest.mark.parametrize("pretty", [False, True])
def test_l3_neither_a_mail_server_nor_a_traceback_nor_a_library_tells_an_address(pretty: bool) -> None:
    code = SAYING.format(pretty=pretty)
    saying = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert saying.stderr.count("a***@example.com") == 4, saying.stderr
    assert "ada@" not in saying.stderr


@pytest.mark.parametrize(("setting", "shown"), [("masked", "127.0.0.0/24"), ("full", "127.0.0.1")])
def test_l3_every_line_of_a_server_has_it_so(setting: str, shown: str, tmp_path: Path) -> None:
    with serving(tmp_path, VESTIBULE_LOG_ADDRESSES=setting, **given_keys()) as server:
        with server.browser() as browser:
            register(browser, "ada@example.com")
            sign_in(browser, "ada@example.com")
            browser.post("/api/auth/login", json={"email": "ada@example.com", "password": "wrong horse"})
        wait_until(lambda: "sign_in_refused" in server.output, "the line about the wrong password")
        wait_until(lambda: "subject=" in server.output, "the line about the letter, which leaves at a random moment")
        lines = [line for line in server.output.splitlines() if "network_address=" in line]
        assert len(lines) >= 3
        assert ("ada@example.com" in server.output) == (setting == "full"), "a letter is logged in development"
        assert all(f"network_address={shown} " in f"{line} " for line in lines)
        events = run(tmp_path, "events", "--json", **given_keys()).stdout
        assert '"127.0.0.1"' in events, "the table keeps it"
