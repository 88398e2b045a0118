"""L3: where an operator wants no client's address in the log, there is none, in any line."""

from pathlib import Path

import pytest

from tests.harness.process import given_keys, register, run, serving, sign_in
from tests.harness.servers import wait_until
from vestibule.logs import masked_address


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1234:5678::1", "2001:db8:1234::/48"),
        ("::1", "::/48"),
        ("", "masked"),
        ("a\nforged line", "masked"),
    ],
)
def test_l3_an_address_becomes_its_network(address: str, shown: str) -> None:
    assert masked_address(address) == shown


@pytest.mark.parametrize(("setting", "shown"), [("masked", "127.0.0.0/24"), ("full", "127.0.0.1")])
def test_l3_every_line_of_a_server_has_it_so(setting: str, shown: str, tmp_path: Path) -> None:
    with serving(tmp_path, VESTIBULE_LOG_ADDRESSES=setting, **given_keys()) as server:
        with server.browser() as browser:
            register(browser, "ada@example.com")
            sign_in(browser, "ada@example.com")
            browser.post("/api/auth/login", json={"email": "ada@example.com", "password": "wrong horse"})
        wait_until(lambda: "sign_in_refused" in server.output, "the line about the wrong password")
        lines = [line for line in server.output.splitlines() if "network_address=" in line]
        assert len(lines) >= 3
        assert all(f"network_address={shown} " in f"{line} " for line in lines)
        events = run(tmp_path, "events", "--json", **given_keys()).stdout
        assert '"127.0.0.1"' in events, "the table keeps it"
