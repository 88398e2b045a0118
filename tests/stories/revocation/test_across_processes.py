"""Two real server processes on one PostgreSQL: a log-out at one is refused by the other in time."""

import os
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.harness import servers
from tests.harness.backends import Backend
from tests.harness.fault_proxy import Fault, FaultProxy, in_front_of
from tests.harness.process import UNLIMITED, Running, given_keys, register, serving, sign_in
from tests.harness.rounds import rounds

TRIALS = rounds(500, suite=15)
STALENESS_SECONDS = 5.0
POLL_SECONDS = 1.0
EMAIL = "ada@example.com"


@contextmanager
def two_servers(
    folder: Path, backend: Backend, here: dict[str, str], there: dict[str, str]
) -> Iterator[tuple[Running, Running]]:
    """A and B on one database; the settings may differ, as when B's way to a server leads through a proxy."""
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    common = {"DATABASE_URL": backend.database_url, **UNLIMITED, **given_keys()}
    with (
        serving(folder / "a", **{**common, **here}) as a,
        serving(folder / "b", **{**common, **there}) as b,
        a.browser() as browser,
    ):
        register(browser, EMAIL)
        yield a, b


def signed_in_at_both(a: Running, b: Running, stack: ExitStack) -> tuple[httpx.Client, httpx.Client]:
    """A browser at A, and one with the same token at B, which has seen it."""
    at_a, at_b = stack.enter_context(a.browser()), stack.enter_context(b.browser())
    sign_in(at_a, EMAIL)
    at_b.headers["Authorization"] = f"Bearer {at_a.cookies['access_token']}"
    assert at_b.get("/api/users/me").status_code == 200
    assert at_b.get("/api/users/me").status_code == 200
    return at_a, at_b


def seconds_until_refused(client: httpx.Client) -> float:
    """How long a client that has just been signed out elsewhere is still let in."""
    begun = time.monotonic()
    while client.get("/api/users/me").status_code == 200:
        assert time.monotonic() - begun < STALENESS_SECONDS + servers.SLACK_SECONDS
    return time.monotonic() - begun


def measured(a: Running, b: Running, trials: int) -> list[float]:
    """How long B took to refuse after each of `trials` log-outs at A."""
    delays = []
    for _ in range(trials):
        with ExitStack() as stack:
            at_a, at_b = signed_in_at_both(a, b, stack)
            assert at_a.post("/api/auth/logout").status_code == 200
            delays.append(seconds_until_refused(at_b))
    return delays


@pytest.mark.parametrize("push", ["notify", "redis"])
def test_a_log_out_at_one_is_refused_by_the_other(
    push: str, tmp_path: Path, postgresql: Backend, record_property: Callable[[str, object], None]
) -> None:
    """S7: a log out at one is refused by the other."""
    settings = {"REDIS_URL": postgresql.redis_url or ""} if push == "redis" else {}
    with two_servers(tmp_path, postgresql, settings, settings) as (a, b):
        delays = measured(a, b, TRIALS)
    record_property("median_ms", round(statistics.median(delays) * 1000, 1))
    assert max(delays) < POLL_SECONDS + servers.SLACK_SECONDS
    assert statistics.median(delays) < POLL_SECONDS / 2, "the push does not arrive"


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BLACK_HOLE])
def test_without_its_push_it_finds_out_by_looking(fault: Fault, tmp_path: Path, postgresql: Backend) -> None:
    redis = urlsplit(postgresql.redis_url or "")
    with in_front_of(redis.port or 0) as proxy:
        through = {"REDIS_URL": f"redis://127.0.0.1:{proxy.port}/0"}
        with two_servers(tmp_path, postgresql, {"REDIS_URL": redis.geturl()}, through) as (a, b):
            proxy.set(fault)
            assert max(measured(a, b, 5)) < POLL_SECONDS + servers.SLACK_SECONDS


def test_a_stopped_redis_delays_no_log_out_beyond_the_next_look(tmp_path: Path, postgresql: Backend) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    address, process = servers.start_redis(servers.free_port(), folder)
    settings = {"REDIS_URL": address}
    with two_servers(tmp_path, postgresql, settings, settings) as (a, b):
        process.send_signal(signal.SIGSTOP)
        try:
            assert max(measured(a, b, 5)) < POLL_SECONDS + servers.SLACK_SECONDS
        finally:
            process.send_signal(signal.SIGCONT)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.BLACK_HOLE])
def test_cut_off_from_the_database_it_lets_nobody_in_beyond_the_bound(
    fault: Fault, tmp_path: Path, postgresql: Backend
) -> None:
    """S7: cut off from the database it lets nobody in beyond the bound."""
    address = urlsplit(postgresql.database_url)
    with in_front_of(address.port or 0) as proxy, ExitStack() as stack:
        through = {"DATABASE_URL": f"postgresql://postgres@127.0.0.1:{proxy.port}{address.path}"}
        a, b = stack.enter_context(two_servers(tmp_path, postgresql, {}, through))
        at_a, at_b = signed_in_at_both(a, b, stack)
        proxy.set(fault)
        assert at_a.post("/api/auth/logout").status_code == 200
        seconds_until_refused(at_b)
        end = time.monotonic() + STALENESS_SECONDS
        while time.monotonic() < end:
            assert at_b.get("/api/users/me").status_code == 503
        healed(proxy, at_b)


def healed(proxy: FaultProxy, client: httpx.Client) -> None:
    """With the link back, the server comes back by itself, and remembers the log-out."""
    proxy.set(Fault.NONE)

    def why() -> str:
        answer = client.get("/api/users/me")
        assert answer.status_code in {401, 503}
        return str(answer.json().get("code"))

    # The set comes back by a connection of its own, perhaps before the one that can say why.
    servers.wait_until(lambda: why() == "session_signed_out", "the server to come back")


def test_a_process_that_was_stopped_lets_nobody_in_when_it_wakes(tmp_path: Path, postgresql: Backend) -> None:
    with two_servers(tmp_path, postgresql, {}, {}) as (a, b), ExitStack() as stack:
        at_a, at_b = signed_in_at_both(a, b, stack)
        family = [psutil.Process(b.process.pid), *psutil.Process(b.process.pid).children(recursive=True)]
        for process in family:
            os.kill(process.pid, signal.SIGSTOP)
        stopped = time.monotonic()
        assert at_a.post("/api/auth/logout").status_code == 200
        servers.wait_until(lambda: time.monotonic() - stopped > STALENESS_SECONDS + 0.5, "the bound to pass")
        for process in family:
            os.kill(process.pid, signal.SIGCONT)
        assert at_b.get("/api/users/me").status_code in {401, 503}
