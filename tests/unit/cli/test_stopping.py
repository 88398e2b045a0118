"""SIGTERM: heard at every moment of a server's life, and nobody who was asking something goes without an answer."""

import json
import os
import re
import signal
import socket
import time
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path

import httpx
import psutil
import pytest

from tests.conftest import not_to_be_had
from tests.harness.process import PASSWORD, Running, given_keys, register, run, serving, sign_in, starting
from tests.harness.servers import WAIT_SECONDS, wait_until


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose database is there, so that a start goes straight to its workers."""
    folder = tmp_path_factory.mktemp("prepared")
    assert run(folder, "migrate", **given_keys()).returncode == 0
    return folder


# A worker that has just been forked once swallowed the signal, and was waited for for thirty seconds, then killed.
AGES = [0.0, 0.02, 0.05, 0.1, 0.3]


@pytest.mark.parametrize("age", AGES)
def test_a_worker_of_any_age_hears_that_it_is_to_stop(prepared: Path, age: float) -> None:
    with starting(prepared, **given_keys()) as server:
        parent = psutil.Process(server.process.pid)
        wait_until(lambda: bool(parent.children()), "the worker")
        time.sleep(age)
        assert server.stop() == 0
        assert "Killing" not in server.output


def test_it_stops_while_it_prepares_even_as_the_first_process_of_a_container(prepared: Path) -> None:
    if not Path("/proc/self/status").exists():
        not_to_be_had(RuntimeError("which signals a process asks for is read from /proc, which Linux has"))
    with starting(prepared, **given_keys()) as server:
        wait_until(lambda: _asks_for(server.process.pid, signal.SIGTERM), "the handler")
        assert server.stop() == 0


def _asks_for(process_id: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{process_id}/status").read_text()
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.MULTILINE)
    return caught is not None and bool(int(caught.group(1), 16) & 1 << (number - 1))


def test_it_hears_a_signal_that_was_sent_while_it_was_suspended(prepared: Path) -> None:
    """As by Ctrl+Z and `kill %1`. The thread that runs first then gets the signal, so all but one must refuse it."""
    with serving(prepared, "--workers", "4", **given_keys()) as server:
        if not Path("/proc/self/task").exists():
            not_to_be_had(RuntimeError("which signals a thread refuses is read from /proc, which Linux has"))
        threads = {thread.id for thread in psutil.Process(server.process.pid).threads()} - {server.process.pid}
        assert len(threads) >= 4
        assert [thread for thread in threads if not _refuses(thread, signal.SIGTERM)] == []
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGCONT):
            server.process.send_signal(number)
        assert server.process.wait(WAIT_SECONDS) == 0


def _refuses(thread: int, number: signal.Signals) -> bool:
    blocked = re.search(r"^SigBlk:\s*([0-9a-f]+)$", Path(f"/proc/{thread}/status").read_text(), re.MULTILINE)
    return blocked is not None and bool(int(blocked.group(1), 16) & 1 << (number - 1))


def test_a_request_under_way_is_answered_and_new_ones_find_nobody(prepared: Path) -> None:
    with serving(prepared, **given_keys()) as server, server.browser() as browser:
        register(browser, "ada@example.com")
        body = json.dumps({"email": "ada@example.com", "password": PASSWORD}).encode()
        head = (
            f"POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        with closing(socket.create_connection(("127.0.0.1", server.port), WAIT_SECONDS)) as wire:
            wire.sendall(head.encode() + body[:10])
            wait_until(lambda: _reads(server.process.pid, wire), "the server's having begun to read")
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: not _listens(server.port), "the server's no longer listening")
            wire.sendall(body[10:])
            answer = wire.makefile("rb").readline()
        assert answer.startswith(b"HTTP/1.1 200 "), answer
        assert server.process.wait(WAIT_SECONDS) == 0


def _reads(process_id: int, wire: socket.socket) -> bool:
    """Whether a worker has this connection, and not only the kernel."""
    return bool(_readers(process_id, wire))


def _readers(process_id: int, wire: socket.socket) -> list[int]:
    """The process ID of the worker that has this connection; empty as long as only the kernel has it."""
    ours = wire.getsockname()
    workers = psutil.Process(process_id).children()
    return [worker.pid for worker in workers if any(c.raddr == ours for c in worker.net_connections("tcp"))]


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_no_worker_outlives_a_server_that_was_killed(prepared: Path) -> None:
    """Nor does it keep the port from the next one."""
    with serving(prepared, "--workers", "2", **given_keys()) as server:
        workers = psutil.Process(server.process.pid).children()
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
        assert psutil.wait_procs(workers, WAIT_SECONDS)[1] == []
        assert not _listens(server.port)
        assert "parent_ended" in server.output


# Longer than anything takes, however busy the machine is; a second signal ends it.
DRAINED = {"VESTIBULE_DRAIN_SECONDS": "300"}


def test_before_it_stops_it_says_so_and_closes_each_connection_with_its_answer(prepared: Path) -> None:
    with serving(prepared, "--workers", "2", **given_keys(), **DRAINED) as server, server.browser() as browser:
        assert "connection" not in browser.get("/api/healthchecker").headers
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: browser.get("/healthz/ready").status_code == 503, "its telling the balancer")
        # Answers alone do not tell: however many in a row may come from the worker that heard it first.
        workers = {worker.pid for worker in psutil.Process(server.process.pid).children()}
        left: set[int] = set()
        wait_until(lambda: left.update(_closes(server)) or left == workers, "both workers' leave")
        assert all(_closes(server) for _ in range(8))
        assert server.stop() == 0


def _closes(server: Running) -> list[int]:
    """The worker that answers on a new connection, if it says that it closes it; else nobody."""
    with closing(socket.create_connection(("127.0.0.1", server.port), WAIT_SECONDS)) as wire:
        wait_until(lambda: _reads(server.process.pid, wire), "a worker's taking the connection")
        answered_by = _readers(server.process.pid, wire)
        wire.sendall(b"GET /api/healthchecker HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with HTTPResponse(wire) as answer:
            answer.begin()
            assert answer.status == 200
            return answered_by if answer.getheader("connection") == "close" else []


# The signal for leave once ended a worker that was not up yet, and with it the leave of the others.
@pytest.mark.parametrize("age", AGES)
def test_a_worker_of_any_age_takes_its_leave(prepared: Path, age: float) -> None:
    with starting(prepared, "--workers", "2", **given_keys(), **DRAINED) as server:
        parent = psutil.Process(server.process.pid)
        wait_until(lambda: len(parent.children()) == 2, "both workers")
        workers = parent.children()
        time.sleep(age)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: _says_that_it_leaves(server), "a worker's telling the balancer")
        assert parent.children() == workers
        assert server.stop() == 0


def _says_that_it_leaves(server: Running) -> bool:
    try:
        return server.ask("GET", "/healthz/ready").status_code == 503
    except httpx.TransportError:
        return False


def test_it_takes_leave_for_as_long_as_it_is_told(prepared: Path) -> None:
    with serving(prepared, **given_keys(), VESTIBULE_DRAIN_SECONDS="2") as server:
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun >= 2


def test_the_hot_reads_close_their_connections_too(prepared: Path) -> None:
    with serving(prepared, **given_keys(), **DRAINED) as server, server.browser() as browser:
        register(browser, "draining@example.com")
        sign_in(browser, "draining@example.com")
        assert "connection" not in browser.get("/api/users/me").headers
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: browser.get("/healthz/ready").status_code == 503, "its telling the balancer")
        answer = browser.get("/api/users/me")
        assert (answer.status_code, answer.headers["connection"]) == (200, "close")


@pytest.mark.parametrize("numbers", [[signal.SIGINT], [signal.SIGTERM, signal.SIGTERM]])
def test_who_presses_control_c_or_says_it_twice_does_not_wait(prepared: Path, numbers: list[signal.Signals]) -> None:
    with serving(prepared, **given_keys(), **DRAINED) as server:
        for number in numbers:
            server.process.send_signal(number)
            # A second signal is one more only once the first has been heard: of two that are pending, Linux keeps one.
            wait_until(lambda: _has_heard(server), "its hearing the signal")
        assert server.process.wait(WAIT_SECONDS) == 0


def _has_heard(server: Running) -> bool:
    return server.process.poll() is not None or _says_that_it_leaves(server)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_is_no_failure(prepared: Path, number: signal.Signals) -> None:
    """As of Ctrl-C in a terminal, `timeout`, or systemd without KillMode=mixed."""
    with serving(prepared, "--workers", "2", **given_keys(), VESTIBULE_DRAIN_SECONDS="2") as server:
        os.killpg(server.process.pid, number)
        assert server.process.wait(WAIT_SECONDS) == 0
        assert "worker_ended" not in server.output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_is_no_failure_where_the_worker_is_faster(
    prepared: Path, number: signal.Signals
) -> None:
    with serving(prepared, **given_keys()) as server:
        (worker,) = psutil.Process(server.process.pid).children()
        server.process.send_signal(signal.SIGSTOP)
        os.killpg(server.process.pid, number)
        wait_until(lambda: worker.status() == psutil.STATUS_ZOMBIE, "the worker's end")
        server.process.send_signal(signal.SIGCONT)
        assert server.process.wait(WAIT_SECONDS) == 0
        assert "worker_ended" not in server.output
        assert "Unexpected exit" not in server.output
