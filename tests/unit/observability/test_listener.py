"""Metrics of real servers: what two processes did is told as one, on a port of its own, and never a secret with it."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.harness.process import (
    PASSWORD,
    Running,
    complaint,
    given_keys,
    link_in,
    register,
    run,
    serving,
    sign_in,
    text_of,
    tour,
)
from tests.harness.servers import WAIT_SECONDS, free_port, wait_until
from tools.docs.metrics import PAGE

EMAIL, OTHER = "ada@example.com", "grace@example.com"
REQUESTS = "vestibule_http_request_duration_seconds_count"
LAG = "vestibule_revocation_lag_seconds_count"


class Watched:
    """A server of two processes, and what it tells Prometheus."""

    def __init__(self, server: Running, port: int) -> None:
        self.server = server
        self._at = f"http://127.0.0.1:{port}/metrics"

    def text(self) -> str:
        return httpx.get(self._at, timeout=WAIT_SECONDS).text

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples with this name and these labels."""
        samples = [sample for family in text_string_to_metric_families(self.text()) for sample in family.samples]
        return sum(s.value for s in samples if s.name == name and labels.items() <= s.labels.items())

    def reaches(self, wanted: float, name: str, **labels: str) -> None:
        wait_until(lambda: self.value(name, **labels) == wanted, f"{wanted} of {name} {labels}")

    def grows(self, at_first: float, more: float, name: str, **labels: str) -> None:
        """Beyond what was there at first; what is looked at once a second may still have had some to tell then."""
        wait_until(lambda: self.value(name, **labels) >= at_first + more, f"{more} more of {name} {labels}")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    port = free_port()
    settings = {"VESTIBULE_METRICS": str(port), **given_keys()}
    with serving(tmp_path_factory.mktemp("server"), "--workers", "2", **settings) as server:
        with server.browser() as browser:
            register(browser, OTHER)
        yield Watched(server, port)


def test_what_two_processes_did_is_told_as_one(watched: Watched) -> None:
    route = "/.well-known/jwks.json"  # which nobody has asked for before: a request may be counted after its answer
    for _ in range(30):
        with watched.server.browser() as browser:  # a connection of its own, so that both processes are asked
            assert browser.get(route).status_code == 200
    watched.reaches(30, REQUESTS, method="GET", route=route, status="200")


def test_a_day_is_told_by_routes_events_and_letters_and_without_a_secret(watched: Watched) -> None:
    told = (
        (2, "vestibule_events_total", {"kind": "signed_in"}),
        (1, "vestibule_events_total", {"kind": "sign_in_refused"}),
        (1, REQUESTS, {"route": "/api/auth/login", "status": "400"}),
        (1, REQUESTS, {"route": "/api/auth/verifyemail/{code}", "status": "200"}),
        (1, "vestibule_letters_total", {"outcome": "sent"}),
        (4, "vestibule_pool_calls_total", {"pool": "hashing"}),
        (1, LAG, {}),  # of the tour's sign-out, which the test of one must not take for its own
    )
    watched.reaches(1, "vestibule_letters_total", outcome="sent")  # the letter of the account that is there already
    before = [watched.value(name, **labels) for _, name, labels in told]
    with watched.server.browser() as browser:
        tour(browser, EMAIL, lambda: _link_in(watched.server, EMAIL))
        sign_in(browser, EMAIL)
        browser.get("/api/users/me")
        tokens = [browser.cookies["access_token"], browser.cookies["refresh_token"]]
        assert browser.post("/api/auth/login", json={"email": EMAIL, "password": "wrong horse"}).status_code == 400
    for (more, name, labels), at_first in zip(told, before, strict=True):
        watched.grows(at_first, more, name, **labels)
    watched.reaches(0, "vestibule_letters_waiting")
    assert watched.value("vestibule_memory_lookups_total", result="hit") >= 1
    assert watched.value("vestibule_build_info") == 1
    text = watched.text()
    code = _link_in(watched.server, EMAIL).rpartition("/")[2]
    for secret in (EMAIL, PASSWORD, code, "127.0.0.1", *tokens, *(token.rpartition(".")[2] for token in tokens)):
        assert secret not in text


def test_what_nobody_listed_makes_no_new_series(watched: Watched) -> None:
    with watched.server.browser() as browser:
        for path in ("/never", "/api/auth/verifyemail/1/2/3", "/login/"):
            browser.get(path)
        browser.request("BREW", "/coffee")
    watched.reaches(2, REQUESTS, method="GET", route="unmatched", status="404")
    watched.reaches(1, REQUESTS, method="GET", route="/login")
    watched.reaches(1, REQUESTS, method="other", route="unmatched")
    assert "never" not in watched.text()


def test_a_log_out_is_told_with_how_long_it_took_to_be_known_elsewhere(watched: Watched) -> None:
    before = watched.value(LAG)
    with watched.server.browser() as browser:
        sign_in(browser, OTHER)
        browser.post("/api/auth/logout")
    # The other of the two hears of it, by its next look at the latest.
    watched.reaches(before + 1, LAG)
    wait_until(lambda: watched.value("vestibule_revocations_staleness_seconds") < 5, "its being fresh")


def test_a_worker_that_dies_keeps_what_it_counted_and_holds_nothing_any_more(watched: Watched) -> None:
    counted = watched.value(REQUESTS, route="/api/healthchecker")
    children = Path(f"/proc/{watched.server.process.pid}/task/{watched.server.process.pid}/children")
    first = children.read_text().split()
    os.kill(int(first[0]), signal.SIGKILL)
    wait_until(lambda: first[0] not in children.read_text().split(), "the end of a worker")
    wait_until(lambda: len(children.read_text().split()) == len(first), "another in its place")
    wait_until(lambda: watched.value(REQUESTS, route="/api/healthchecker") >= counted, "what it counted")


def test_every_metric_there_is_is_on_the_page_and_none_else(watched: Watched) -> None:
    listed = set(re.findall(r"^\| `(vestibule_\w+)` \|", PAGE.read_text(), re.MULTILINE))
    told = {
        family.name + ("_total" if family.type == "counter" else "")
        for family in text_string_to_metric_families(watched.text())
    }
    assert told <= listed
    assert {"vestibule_http_request_duration_seconds", "vestibule_letters_waiting", "vestibule_build_info"} <= told


def test_the_port_of_the_api_tells_nothing(watched: Watched) -> None:
    """H12: metrics are on a listener of their own."""
    with watched.server.browser() as browser:
        assert browser.get("/metrics").status_code == 404


def test_unset_nobody_listens_but_the_api(tmp_path: Path) -> None:
    """H12: unset, metrics have no listener."""
    with serving(tmp_path, **given_keys()) as server:
        assert listened_at_by(server.process.pid) == {server.port}


def test_a_port_that_is_taken_is_said_in_one_line(watched: Watched, tmp_path: Path) -> None:
    port = watched._at.partition("127.0.0.1:")[2].partition("/")[0]
    done = run(tmp_path, "serve", "--port", str(free_port()), VESTIBULE_METRICS=port)
    assert done.returncode == 2
    assert complaint(done.stderr).startswith(f"VESTIBULE_METRICS: cannot listen on 127.0.0.1:{port}")


def listened_at_by(pid: int) -> set[int]:
    """The TCP ports at which a process or one of its children listens (proc_net_tcp(5), state 0A)."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    descriptors = [fd for each in (str(pid), *children) for fd in Path(f"/proc/{each}/fd").iterdir()]
    held = set()
    for descriptor in descriptors:
        with suppress(FileNotFoundError):  # closed since it was listed
            held.add(str(descriptor.readlink()))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(line[1].split(":")[1], 16) for line in lines if line[3] == "0A" and f"socket:[{line[9]}]" in held}


def _link_in(server: Running, email: str) -> str:
    texts = [text_of(letter) for letter in server.letters if letter["To"] == email]
    return next(filter(None, map(link_in, texts)), "")


def test_who_meets_a_limit_is_told_by_the_limit(tmp_path: Path) -> None:
    port = free_port()
    settings = {"VESTIBULE_METRICS": str(port), "VESTIBULE_SIGN_INS_PER_NETWORK": "2", **given_keys()}
    with serving(tmp_path, **settings) as server, server.browser() as browser:
        body = {"email": EMAIL, "password": PASSWORD}
        statuses = [browser.post("/api/auth/login", json=body).status_code for _ in range(5)]
        assert statuses == [400, 400, 429, 429, 429]
        watched = Watched(server, port)
        watched.reaches(3, "vestibule_limits_reached_total", limit="network_sign_in")
        # One writer and four readers on SQLite.
        watched.reaches(5, "vestibule_database_connections_limit")
