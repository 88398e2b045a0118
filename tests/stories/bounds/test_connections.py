"""More connections than a process takes: who says nothing keeps nobody out."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from pathlib import Path

import httpx
import pytest

from tests.harness.process import Running, given_keys, serving
from vestibule.settings import reading
from vestibule.settings.reading import WrongSettings
from vestibule.web import connections
from vestibule.web.connections import Bounds, Open
from vestibule.web.under_way import Stage

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


def test_n3_beside_those_that_drip_others_are_answered(server: Running) -> None:
    """N3: at five times the bound, a byte of a head at a time, from one that comes again for each that is cut."""
    over = threading.Event()
    dripping = threading.Thread(target=drip, args=(server.port, 5 * MOST, over))
    dripping.start()
    try:
        while "connections_shed" not in server.output:
            assert not over.wait(0.05)
        with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.9"), timeout=60) as other:
            began = time.monotonic()
            for _ in range(3):
                assert other.get(f"{server.base}/healthz/live").status_code == 200
            assert time.monotonic() - began < 2 * HEAD_SECONDS
    finally:
        over.set()
        dripping.join()


def drip(port: int, connections: int, over: threading.Event) -> None:
    """Keep so many connections whose request goes on and never comes to its end."""
    with ExitStack() as stack:
        alive, begun = [_dripping(port, stack) for _ in range(connections)], set[socket.socket]()
        while not over.wait(0.4):
            for number, each in enumerate(alive):
                try:
                    each.send(b"GET /healthz/live HTTP/1.1\r\nX: " if each not in begun else b"a")
                    begun.add(each)
                except BlockingIOError:
                    continue
                except OSError:
                    each.close()
                    alive[number] = _dripping(port, stack)


def _dripping(port: int, stack: ExitStack) -> socket.socket:
    one = stack.enter_context(socket.socket())
    one.setblocking(False)
    one.connect_ex(("127.0.0.1", port))
    return one


def an_open(network: str, unanswered: float, stage: Stage | None = None, *, counted: bool = True) -> Open:
    return Open(socket.socket(), network, counted, unanswered, stage)


def too_much(most: int, those: list[Open]) -> Counter[tuple[str, float]]:
    cut = list(connections._too_much(Bounds(8000, most, (ip_network("10.0.0.0/8"),)), those))
    for each in those:
        each.file.close()
    return Counter((each.network, each.unanswered) for each in cut)


def test_n3_one_network_has_a_quarter_and_loses_the_longest_unanswered() -> None:
    those = [an_open("192.0.2.1", seconds) for seconds in (30, 20, 10, 5, 1)] + [an_open("192.0.2.2", 60)]
    assert too_much(12, those) == Counter({("192.0.2.1", 30): 1, ("192.0.2.1", 20): 1})


def test_n3_when_it_is_crowded_the_longest_unanswered_of_all_go_and_no_proxy() -> None:
    strangers = [an_open(f"192.0.2.{number}", 10 + number) for number in range(6)]
    proxies = [an_open("10.0.0.1", 600, counted=False) for _ in range(3)]
    assert too_much(8, strangers + proxies) == Counter(
        {("192.0.2.5", 15): 1, ("192.0.2.4", 14): 1, ("192.0.2.3", 13): 1}
    )


def test_n3_who_came_or_was_answered_just_now_stays_until_it_is_crowded() -> None:
    """N3: above its share a network is given two seconds, and none when others have little room."""
    assert too_much(12, [an_open("192.0.2.1", 1.9) for _ in range(8)]) == Counter()
    assert too_much(12, [an_open("192.0.2.1", 1.9) for _ in range(11)]).total() == 8, "down to its share"
    many = [an_open(f"192.0.2.{number}", 1.9) for number in range(12)]
    assert too_much(12, many) == Counter(), "each within its share"


def test_n3_a_request_that_is_worked_on_is_spared() -> None:
    """N3: who is still to send a body, or to read an answer, is not."""
    worked_on = [an_open("192.0.2.1", 60 + number, Stage.WORKING) for number in range(6)]
    others = [
        an_open("192.0.2.1", number, stage) for number, stage in enumerate((None, Stage.READING, Stage.ANSWERING))
    ]
    those = worked_on + others + [an_open("192.0.2.1", 9) for _ in range(3)]
    assert {seconds for _, seconds in too_much(12, those)} == {0, 1, 2, 9}


def test_n3_followers_of_the_feed_are_at_most_half_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VESTIBULE_CONNECTIONS", "8192")
    monkeypatch.setenv("VESTIBULE_FEED_FOLLOWERS", "4097")
    with pytest.raises(WrongSettings, match="VESTIBULE_FEED_FOLLOWERS"):
        reading.read()
    monkeypatch.setenv("VESTIBULE_FEED_FOLLOWERS", "4096")
    assert reading.read().feed_followers == 4096
