"""A worker that is forked from a running process, as under gunicorn with a preloaded application, stands by itself."""

import asyncio
import ctypes
import os
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, get_args

import httpx
import pytest

from tests.harness.process import Running, given_keys, register, run, serving, sign_in
from tests.harness.servers import WAIT_SECONDS, free_port, wait_until
from tests.unit.client.knowing import Knowing, token_of_today
from vestibule.client import CallerRefusedError, CannotTellError, Session, SessionOverError, Verifier, WrongSetupError
from vestibule.client.keys import PATH
from vestibule.client.memory import WhenStale
from vestibule.client.process import PerProcess
from vestibule.model.clock import SystemClock
from vestibule.protocol.revocations import Revoked

pytestmark = [
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork"),
    pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning"),
]
EMAIL = "ada@example.com"
Check = Callable[[Verifier, str], Any]
BY_THREAD_AND_BY_TASK: dict[str, Check] = {
    "threads": lambda verifier, token: verifier.check(token),
    "asyncio": lambda verifier, token: asyncio.run(verifier.check_async(token)),
}
TIED = (
    asyncio.AbstractEventLoop,
    asyncio.Event,
    asyncio.Future,
    httpx.AsyncClient,
    httpx.Client,
    ssl.SSLContext,
    threading.Thread,
    type(threading.Lock()),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    folder: Path = tmp_path_factory.mktemp("vestibule")
    with serving(folder, **given_keys()) as running:
        with running.browser() as browser:
            register(browser, EMAIL)
        yield running, run(folder, "services", "create", "tests", **given_keys()).stdout.strip()


@contextmanager
def forked(work: Callable[[], bool], fork: Callable[[], int] = os.fork) -> Iterator[Callable[[], None]]:
    """A child that does the work when it is told to, which has to come out true."""
    reader, writer = os.pipe()
    child = fork()
    if child == 0:
        good = False
        try:
            os.read(reader, 1)
            good = work()
        finally:
            os._exit(0 if good else 1)
    try:
        yield lambda: assert_written(writer)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        os.close(reader)
        os.close(writer)


def assert_written(writer: int) -> None:
    assert os.write(writer, b"x") == 1


def fate(check: Check, verifier: Verifier, token: str) -> type[CallerRefusedError] | None:
    try:
        check(verifier, token)
    except CallerRefusedError as refusal:
        return type(refusal)
    return None


@pytest.mark.parametrize("check", BY_THREAD_AND_BY_TASK.values(), ids=BY_THREAD_AND_BY_TASK)
@pytest.mark.parametrize("policy", get_args(WhenStale))
def test_k9_the_first_check_of_a_forked_worker_hears_for_itself(
    server: tuple[Running, str], policy: WhenStale, check: Check
) -> None:
    """K9: whatever the policy; the session ends after the fork, and nothing that was inherited lets it in."""
    running, key = server
    with running.browser() as browser, Verifier(running.base, key, policy) as verifier:
        wait_until(lambda: verifier.age < 5, "the first heartbeat")
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        verifier.check(token)
        with forked(lambda: fate(check, verifier, token) is SessionOverError) as go:
            browser.post("/api/auth/logout")
            go()
        wait_until(lambda: fate(check, verifier, token) is SessionOverError, "the parent's hearing of it")


@pytest.mark.parametrize("check", BY_THREAD_AND_BY_TASK.values(), ids=BY_THREAD_AND_BY_TASK)
def test_k9_what_the_parent_knows_is_not_known_to_a_worker(check: Check) -> None:
    """K9: in an outage too, and by the policy that takes whatever is old."""
    knowing = Knowing("accept")
    verifier = Verifier(f"http://127.0.0.1:{free_port()}", "vsk_x", "accept")
    memory = verifier._here().memory
    memory.keys = knowing.memory.keys
    memory.revoked.renew(SystemClock().monotonic())
    good, over = token_of_today("s1"), token_of_today("over")
    assert verifier.check(good).session == "s1"
    assert verifier.check(over).session == "over"
    memory.end(over)
    with forked(lambda: [fate(check, verifier, each) for each in (good, over)] == [CannotTellError] * 2) as go:
        go()
    assert verifier.check(good).session == "s1"
    assert fate(check, verifier, over) is SessionOverError


@pytest.mark.parametrize("lost", [False, True])
@pytest.mark.parametrize("policy", get_args(WhenStale))
def test_k9_a_worker_that_has_fetched_keys_and_heard_nothing_lets_nobody_in(policy: WhenStale, lost: bool) -> None:
    """K9: though the feed is what it waits for, and its policy takes whatever is old. Also one that lost it all."""
    knowing = Knowing(policy)
    token, keys = knowing.token(), knowing.memory.keys
    if lost:
        knowing.memory.drop()
    else:
        knowing.memory.revoked = Revoked()
    knowing.memory.keys = keys
    with pytest.raises(CannotTellError):
        knowing.memory.decide(token)
    knowing.memory.revoked.renew(knowing.clock.monotonic())
    assert knowing.memory.decide(token).session == "s1"


@pytest.mark.parametrize("policy", get_args(WhenStale))
def test_k9_who_was_signed_out_stays_out_of_a_service_that_no_feed_reaches(
    server: tuple[Running, str], policy: WhenStale
) -> None:
    """K9: a wrong service key gets no feed, but the keys are public."""
    running, _ = server
    with running.browser() as browser:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        browser.post("/api/auth/logout")
    with closing(Verifier(running.base, "vsk_" + "x" * 43, policy)) as verifier:
        refused = [fate(BY_THREAD_AND_BY_TASK["threads"], verifier, token) for _ in range(2)]
        wait_until(lambda: bool(verifier._here().memory.keys), "the keys")
        refused.append(fate(BY_THREAD_AND_BY_TASK["threads"], verifier, token))
    assert set(refused) <= {WrongSetupError, CannotTellError}


def tied(root: object) -> dict[int, object]:
    """All that a tool of the kit holds that belongs to one loop, thread or process, by its identity."""
    found: dict[int, object] = {}
    seen: set[int] = set()
    ahead = [root]
    while ahead:
        each = ahead.pop()
        if id(each) in seen or isinstance(each, type | ModuleType | FunctionType | str | bytes):
            continue
        seen.add(id(each))
        if isinstance(each, TIED):
            found[id(each)] = each
            continue
        if isinstance(each, dict):
            ahead += each.values()
        elif isinstance(each, list | tuple | set | frozenset):
            ahead += each
        ahead += [value for name, value in getattr(each, "__dict__", {}).items()]
    return found


@pytest.mark.parametrize("kind", ["verifier", "session"])
def test_k10_nothing_of_the_parents_loop_thread_or_process_is_in_the_child(kind: str) -> None:
    """K10: with every lock taken, and in the middle of a fetch of the keys that never ends."""
    with never_answering() as (url, asked):
        tool = Session(url) if kind == "session" else Verifier(url, "vsk_x")
        if isinstance(tool, Verifier):
            tool._here().begin()
            asked.wait(WAIT_SECONDS)
            assert len(tool._here().updater.keys._under_way) == 1
        before = tied(tool._processes.here())
        assert len(before) >= 2
        for held in before.values():
            if isinstance(held, type(threading.Lock())):
                held.acquire()
        try:
            with forked(lambda: tied(tool._processes.here()).keys().isdisjoint(before)) as go:
                go()
        finally:
            for held in before.values():
                if isinstance(held, type(threading.Lock())):
                    held.release()
            tool.close()


def test_k10_a_worker_that_is_forked_while_keys_are_fetched_follows(server: tuple[Running, str]) -> None:
    """K10: it waits for no task of its parent's loop."""
    running, key = server
    with running.browser() as browser, Verifier(running.base, key) as verifier:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        verifier.check(token)

        asking = list[asyncio.Task[None]]()

        async def never_ends() -> None:
            keys = verifier._here().updater.keys
            asking.append(asyncio.create_task(keys._under_way.result(PATH, asyncio.Event().wait)))  # type: ignore[arg-type]

        verifier._here()._supervised.call(lambda _updater: never_ends(), WAIT_SECONDS)
        with forked(lambda: fate(Verifier.check, verifier, token) is None and verifier.age < 5) as go:
            go()
        assert verifier.check(token)


@contextmanager
def never_answering() -> Iterator[tuple[str, threading.Event]]:
    """A port that takes connections, and says nothing; the event is set when somebody has asked for the keys."""
    asked, kept = threading.Event(), list[socket.socket]()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def take() -> None:
            try:
                while True:
                    connection = listening.accept()[0]
                    kept.append(connection)
                    if b"jwks" in connection.recv(1000):
                        asked.set()
            except OSError:
                return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}", asked
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(WAIT_SECONDS)
            for connection in kept:
                connection.close()


@pytest.mark.parametrize("check", BY_THREAD_AND_BY_TASK.values(), ids=BY_THREAD_AND_BY_TASK)
def test_k9_a_worker_that_was_forked_in_c_hears_for_itself(server: tuple[Running, str], check: Check) -> None:
    """K9: as uWSGI forks, which calls none of Python's hooks."""
    running, key = server
    with running.browser() as browser, Verifier(running.base, key) as verifier:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
        check(verifier, token)
        work = lambda: fate(check, verifier, token) is SessionOverError and verifier.age < 5  # noqa: E731
        with forked(work, ctypes.PyDLL(None).fork) as go:
            browser.post("/api/auth/logout")
            go()


@pytest.mark.parametrize("fork", [os.fork, ctypes.PyDLL(None).fork], ids=["python", "c"])
def test_k10_threads_of_a_child_that_come_at_once_have_one_and_the_same(fork: Callable[[], int]) -> None:
    """K10: also in the child of a child, and after a replacement."""
    made = PerProcess(slowly_made)
    parents = made.here()

    def all_the_same() -> bool:
        here = len({id(each) for each in at_once(made.here)}) == 1 and made.here() == [os.getpid()]
        old = made.here()
        new = {id(each) for each in at_once(lambda: made.replace(old))}
        return here and len(new) == 1 and new == {id(made.here())} and made.here() is not old

    def with_a_child() -> bool:
        with forked(all_the_same, fork) as go:
            go()
        return made.here() is not parents and all_the_same()

    with forked(with_a_child, fork) as go:
        go()
    assert made.here() is parents


def slowly_made() -> list[int]:
    time.sleep(0.01)
    return [os.getpid()]


def at_once(work: Callable[[], Any]) -> list[Any]:
    """What eight threads get that begin together."""
    together = threading.Barrier(8)
    with ThreadPoolExecutor(8) as threads:
        return [*threads.map(lambda _: (together.wait(WAIT_SECONDS), work())[1], range(8))]
