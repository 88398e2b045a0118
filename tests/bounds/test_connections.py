"""More connections than a process takes: who says nothing keeps nobody out."""

import socket
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from tests.harness.process import Running, given_keys, serving
from vestibule import settings
from vestibule.settings import WrongSettings
from vestibule.web import connections
from vestibule.web.connections import Bounds, Open

MOST = 256
HEAD_SECONDS = 10  # after which the server library cuts by itself


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    with serving(tmp_path, **given_keys(), VESTIBULE_CONNECTIONS=str(MOST)) as running:
        yield running


def test_n3_at_five_times_the_bound_others_are_answered(server: Running) -> None:
    with ExitStack() as stack:
        for _ in range(5 * MOST):
            silent = stack.enter_context(socket.socket())
            silent.setblocking(False)
            silent.connect_ex(("127.0.0.1", server.port))
        began = time.monotonic()
        assert httpx.get(f"{server.base}/healthz/live", timeout=60).status_code == 200
        # By itself the library takes the next 256 when it has cut those before.
        assert time.monotonic() - began < 4 * HEAD_SECONDS


def an_open(network: str, idle: float, *, counted: bool = True) -> Open:
    return Open(socket.socket(), network, counted, idle)


def too_much(most: int, those: list[Open]) -> Counter[tuple[str, float]]:
    cut = list(connections._too_much(Bounds(8000, most, (ip_network("10.0.0.0/8"),)), those))
    for each in those:
        each.file.close()
    return Counter((each.network, each.idle) for each in cut)


def test_n3_one_network_has_a_quarter_and_loses_the_longest_silent() -> None:
    those = [an_open("192.0.2.1", idle) for idle in (30, 20, 10, 5, 1)] + [an_open("192.0.2.2", 60)]
    assert too_much(12, those) == Counter({("192.0.2.1", 30): 1, ("192.0.2.1", 20): 1})


def test_n3_when_it_is_crowded_the_longest_silent_of_all_go_and_no_proxy() -> None:
    strangers = [an_open(f"192.0.2.{number}", 10 + number) for number in range(6)]
    proxies = [an_open("10.0.0.1", 600, counted=False) for _ in range(3)]
    assert too_much(8, strangers + proxies) == Counter(
        {("192.0.2.5", 15): 1, ("192.0.2.4", 14): 1, ("192.0.2.3", 13): 1}
    )


def test_n3_who_spoke_just_now_stays() -> None:
    assert too_much(4, [an_open("192.0.2.1", 1.9) for _ in range(8)]) == Counter()


def test_n3_followers_of_the_feed_are_at_most_half_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VESTIBULE_CONNECTIONS", "8192")
    monkeypatch.setenv("VESTIBULE_FEED_FOLLOWERS", "4097")
    with pytest.raises(WrongSettings, match="VESTIBULE_FEED_FOLLOWERS"):
        settings.read()
    monkeypatch.setenv("VESTIBULE_FEED_FOLLOWERS", "4096")
    assert settings.read().feed_followers == 4096
