"""`vestibule services`, beside a server that runs: a key is shown once, follows the feed, and is put out of force."""

import signal
import time
from pathlib import Path

import httpx
import pytest

from tests.harness.process import Running, complaint, given_keys, register, run, serving, sign_in
from tests.harness.servers import WAIT_SECONDS, wait_until
from vestibule.cli.supervisor import FINISH_SECONDS


def key_for(folder: Path, name: str) -> str:
    """A key that the command printed."""
    added = run(folder, "services", "create", name, **given_keys())
    assert added.returncode == 0, added.stderr
    assert added.stderr == f"The key of {name}, shown only once. Give it to the service as a secret.\n"
    return added.stdout.strip()


def test_a_key_is_shown_once_listed_by_name_and_removed(tmp_path: Path) -> None:
    key = key_for(tmp_path, "billing")
    listed = run(tmp_path, "services", "list", **given_keys())
    assert "billing" in listed.stdout
    assert key not in listed.stdout
    assert key.encode() not in (tmp_path / "vestibule-data" / "vestibule.sqlite3").read_bytes()
    again = run(tmp_path, "services", "create", "billing", **given_keys())
    assert (again.returncode, again.stdout) == (1, "")
    assert complaint(again.stderr).startswith("the service billing has a key already; to replace it, create one under ")
    revoked = run(tmp_path, "services", "revoke", "billing", **given_keys())
    assert (revoked.returncode, revoked.stderr) == (
        0,
        "The key of billing is revoked. A service that still has it answers 503 within a minute.\n",
    )
    missing = run(tmp_path, "services", "revoke", "billing", **given_keys())
    assert complaint(missing.stderr) == "no service billing has a key; see vestibule services list"


@pytest.mark.parametrize("name", ["", "Billing", "-x", "a b", "x" * 65])
def test_a_name_that_names_nothing_is_one_line(tmp_path: Path, name: str) -> None:
    refused = run(tmp_path, "services", "create", "--", name, **given_keys())
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "cannot name a service" in complaint(refused.stderr)


def test_the_feed_streams_a_log_out_and_ends_when_the_server_stops(tmp_path: Path) -> None:
    with serving(tmp_path, **given_keys()) as server, server.browser() as browser:
        register(browser, "ada@example.com")
        sign_in(browser, "ada@example.com")
        authorization = {"Authorization": f"Bearer {key_for(tmp_path, 'billing')}"}
        with httpx.stream("GET", f"{server.base}/api/revocations", headers=authorization, timeout=WAIT_SECONDS) as feed:
            assert feed.headers["content-type"].startswith("text/event-stream")
            lines = feed.iter_lines()
            assert next(lines) == "event: hello"
            while next(lines) != "event: heartbeat":
                pass
            assert browser.post("/api/auth/logout").status_code == 200
            while next(lines) != "event: revoked":
                pass
            assert '"sessions":{' in next(lines)
            assert seconds_to_stop(server) < FINISH_SECONDS
            assert list(lines)[-1] == "", "the stream ends whole, not torn"


def test_places_are_few_and_one_that_left_makes_room(tmp_path: Path) -> None:
    settings = {**given_keys(), "VESTIBULE_FEED_FOLLOWERS": "1"}
    with serving(tmp_path, **settings) as server:
        authorization = {"Authorization": f"Bearer {key_for(tmp_path, 'billing')}"}
        address = f"{server.base}/api/revocations"
        with httpx.stream("GET", address, headers=authorization, timeout=WAIT_SECONDS) as first:
            assert first.status_code == 200
            second = httpx.get(address, headers=authorization, timeout=WAIT_SECONDS)
            assert (second.status_code, second.json()["code"]) == (503, "too_many_followers")
        wait_until(lambda: follows(address, authorization), "the place of one that left")


def follows(address: str, authorization: dict[str, str]) -> bool:
    with httpx.stream("GET", address, headers=authorization, timeout=WAIT_SECONDS) as feed:
        return feed.status_code == 200


def seconds_to_stop(server: Running) -> float:
    begun = time.monotonic()
    assert server.stop(signal.SIGTERM) == 0
    return time.monotonic() - begun


def test_where_no_server_runs_it_names_the_file_that_is_not_there(tmp_path: Path) -> None:
    """Somebody in another folder would otherwise start a second server there."""
    refused = run(tmp_path, "services", "create", "orders")
    told = complaint(refused.stderr)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert str(tmp_path / "vestibule-data" / "secret.key") in told
    assert "in the folder where the server runs" in told
    assert list(tmp_path.iterdir()) == []
