"""More connections than a process takes: who says nothing keeps nobody out."""

import os
import socket
import struct
import sys
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
from vestibule.process import open_files
from vestibule.settings import reading
from vestibule.settings.reading import WrongSettings
from vestibule.web import connections
from vestibule.web.connections import Bounds, Connection
from vestibule.web.in_flight import Stage
from vestibule.web.own_sockets import OwnSockets

MOST = 256
IDLE = 1_100
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
        assert server.ask("GET", "/healthz/live").status_code == 200
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
    """Keep connections whose request goes on and never comes to its end."""
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


def test_n3_beside_idle_ones_of_many_networks_a_new_one_is_answered_and_none_is_cut(tmp_path: Path) -> None:
    """N3: within the bound, as it comes: the library would take 1,024."""
    open_files.raise_limit()
    with serving(tmp_path, **given_keys()) as running, ExitStack() as stack:
        idle = idling(running.port, stack)
        assert running.ask("GET", "/healthz/live").status_code == 200
        assert sum(map(is_open, idle)) == IDLE, "it waited for none of them to go"


def idling(port: int, stack: ExitStack) -> list[socket.socket]:
    """Connections of ten networks on each of which one request was answered, and none follows. All are asked before
    any is read: one after the other, they would take a busy machine longer than the library keeps an idle one.
    """
    idle = [stack.enter_context(_connected(port, f"127.0.1.{number % 10 + 1}")) for number in range(IDLE)]
    for one in idle:
        one.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
    for one in idle:
        assert one.recv(4096).startswith(b"HTTP/1.1 200 ")
    return idle


def _connected(port: int, address: str) -> socket.socket:
    one = socket.create_connection(("127.0.0.1", port), timeout=60, source_address=(address, 0))
    # Its own port is free again at once, for a server that listens on all addresses.
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return one


def is_open(connection: socket.socket) -> bool:
    """Whether the other end has not closed it."""
    connection.setblocking(False)
    try:
        return connection.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="nowhere else are they seen")
def test_n3_who_is_at_the_other_end_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """N3: and anew where another connection has the number of one that was closed."""
    looked_up, find = list[int](), OwnSockets._find
    monkeypatch.setattr(
        OwnSockets, "_find", lambda of, number, file: looked_up.append(number) or find(of, number, file)
    )
    with socket.create_server(("127.0.0.1", 0)) as listening, ExitStack() as stack:
        port = listening.getsockname()[1]
        sockets = OwnSockets(port, ())

        def accepted(address: str) -> socket.socket:
            stack.enter_context(socket.create_connection(("127.0.0.1", port), source_address=(address, 0)))
            return stack.enter_context(listening.accept()[0])

        first, _ = accepted("127.0.0.2"), accepted("127.0.0.3")
        assert sockets.scan() == Counter({"127.0.0.2": 1, "127.0.0.3": 1})
        looked_up.clear()
        assert sockets.scan().total() == 2
        assert looked_up == []
        number = first.fileno()
        other = accepted("127.0.0.4")
        first.close()
        os.dup2(other.fileno(), number)
        stack.callback(os.close, number)
        assert sockets.scan() == Counter({"127.0.0.4": 2, "127.0.0.3": 1})
        assert number in looked_up


def an_open(network: str, idle_seconds: float, stage: Stage | None = None, *, limited: bool = True) -> Connection:
    return Connection(socket.socket(), network, limited, idle_seconds, stage)


def too_much(most: int, those: list[Connection]) -> Counter[tuple[str, float]]:
    cut = list(connections._excess(Bounds(8000, most, (ip_network("10.0.0.0/8"),)), those))
    for each in those:
        each.file.close()
    return Counter((each.network, each.idle_seconds) for each in cut)


def test_n3_one_network_has_a_quarter_and_loses_the_longest_unanswered() -> None:
    those = [an_open("192.0.2.1", seconds) for seconds in (30, 20, 10, 5, 1)] + [an_open("192.0.2.2", 60)]
    assert too_much(12, those) == Counter({("192.0.2.1", 30): 1, ("192.0.2.1", 20): 1})


def test_n3_when_it_is_crowded_the_longest_unanswered_of_all_go_and_no_proxy() -> None:
    strangers = [an_open(f"192.0.2.{number}", 10 + number) for number in range(6)]
    proxies = [an_open("10.0.0.1", 600, limited=False) for _ in range(3)]
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
    assert reading.read().followers_within(8192) == 4096


@pytest.mark.parametrize(("connections", "followers"), [(8192, 1000), (2000, 1000), (512, 256), (1, 1)])
def test_n3_without_a_number_half_of_few_connections_are_for_followers(connections: int, followers: int) -> None:
    """N3: so no low limit for open files, and no lower VESTIBULE_CONNECTIONS, keeps the server from starting."""
    assert reading.read().followers_within(connections) == followers
