"""A fork in any moment of the start leaves nothing half done in the child: the background imports nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.harness.process import Running, given_keys, register, run, serving, sign_in

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
EMAIL = "ada@example.com"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Running, str]]:
    folder = tmp_path_factory.mktemp("vestibule")
    with serving(folder, **given_keys()) as running:
        with running.browser() as browser:
            register(browser, EMAIL)
        yield running, run(folder, "services", "create", "tests", **given_keys()).stdout.strip()


FORKS_SOON = """
import os, sys, time
from vestibule.client import CannotTellError, Verifier
from vestibule.client.memory_updater import START_SECONDS
url, key, token = sys.argv[1:]

def check(verifier):
    # Accepted by the first check, or by the next one, if the first fetch took longer than a check waits for it.
    begun = time.monotonic()
    try:
        verifier.check(token)
    except CannotTellError:
        if time.monotonic() - begun < START_SECONDS:
            raise
        verifier.wait_ready(60)
        verifier.check(token)

verifiers = [Verifier(url, key) for _ in range(21)]
children = []
for verifier in verifiers:
    verifier._here()._tls  # takes longer than all the rest of the start
for verifier in verifiers:
    verifier._here().begin()
begun = time.monotonic()
for number, verifier in enumerate(verifiers):
    time.sleep(max(0, begun + number / 100 - time.monotonic()))
    child = os.fork()
    if child == 0:
        try:
            check(verifier)
        except BaseException as fault:
            print(f"{number}0 ms: {fault!r}", flush=True)
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
os._exit(0)
"""


def test_k10_a_worker_that_is_forked_in_any_moment_of_the_start_follows(server: tuple[Running, str]) -> None:
    """K10: at 0 to 200 ms after it, in a process that has connected to nothing before."""
    assert printed(FORKS_SOON, server) == ""


FORK_WHILE_LOADING = """
import os, sys, threading
from vestibule.client import Verifier, wire
url, key, token = sys.argv[1:]
of_parent, of_child = Verifier(url, key), Verifier(url, key)
loading, forked = threading.Event(), threading.Event()
context_of = wire.context_of

def slowly(*given):
    loading.set()
    forked.wait(60)
    return context_of(*given)

wire.context_of = slowly
threading.Thread(target=of_parent.start, daemon=True).start()
loading.wait(60)
wire.context_of = context_of
child = os.fork()
if child == 0:
    with of_child:
        of_child.wait_ready(60)
        of_child.check(token)
    os._exit(0)
threading.Timer(90, os.kill, (child, 9)).start()
print(os.waitpid(child, 0)[1], end="", flush=True)
os._exit(0)
"""


def test_k10_a_worker_that_is_forked_while_another_thread_loads_certificates_follows(
    server: tuple[Running, str],
) -> None:
    """K10: no lock is inherited that the other thread holds."""
    assert printed(FORK_WHILE_LOADING, server) == "0"


IMPORTS = """
import sys, threading
seen = []

class Seen:
    def find_spec(self, name, path=None, target=None):
        if threading.current_thread() is not threading.main_thread():
            seen.append(name)

sys.meta_path.insert(0, Seen())
from vestibule.client import Verifier
url, key, token = sys.argv[1:]
for tried in (url, url.replace("http:", "https:"), "https://nowhere.invalid", "http://127.0.0.1:1"):
    verifier = Verifier(tried, key, "ask", key_refetch=1)
    try:
        verifier.start()
        if tried == url:
            verifier.wait_ready(20)
            verifier.check(token)
            memory = verifier._here().memory
            memory.keys = {"another": next(iter(memory.keys.values()))}
            memory._callers.clear()
            verifier._here().updater.keys._asked_at = 0.0
            verifier.check(token)
            memory.revoked.fresh_as_of = 0.0
            verifier._here()._supervised.call(lambda updater: updater._introspect(token), 10)
    except Exception as fault:
        seen += [] if "Vestibule" in type(fault).__name__ else [repr(fault)]
    verifier.close()
print(*seen, end="")
"""


def test_k10_nothing_is_imported_for_the_first_time_in_the_background(server: tuple[Running, str]) -> None:
    """K10: or a child that is forked meanwhile has half of it. Feed, keys, fetched again, and introspection."""
    assert printed(IMPORTS, server) == ""


WATCHES_LOCKS = """
import _thread, functools, os, sys, threading, traceback

locks = []
REINITIALISED = ("/logging/", "importlib")  # by Python itself, after each fork

class Watched:
    def __init__(self, lock):
        made = [one for one in traceback.extract_stack()[:-2] if not one.filename.endswith("/threading.py")]
        self._lock, self.by_background, self.by_child = lock, False, False
        self.made_at = " < ".join(f"{one.filename}:{one.lineno}" for one in reversed(made[-3:]))
        if os.getpid() == PARENT:
            locks.append(self)

    def acquire(self, *given, **named):
        self.by_background |= os.getpid() == PARENT and _thread.get_ident() != MAIN
        self.by_child |= os.getpid() != PARENT
        return self._lock.acquire(*given, **named)

    __enter__ = acquire

    def __exit__(self, *_):
        self._lock.release()

    def __getattr__(self, name):
        return getattr(self._lock, name)

PARENT, MAIN = os.getpid(), _thread.get_ident()
lock, recursive = _thread.allocate_lock, _thread.RLock
for module in (threading, functools, _thread):
    for name in {"Lock", "_allocate_lock", "allocate_lock"} & vars(module).keys():
        setattr(module, name, lambda: Watched(lock()))
    if "RLock" in vars(module):
        module.RLock = lambda: Watched(recursive())

from vestibule.client import CallerRefusedError, Verifier
url, key, token = sys.argv[1:]

def use(verifier):
    # Feed, keys, keys again for an unknown id, and introspection.
    verifier.wait_ready(60)
    verifier.check(token)
    here = verifier._here()
    here.memory._callers.clear()
    here.memory.keys = {"another": next(iter(here.memory.keys.values()))}
    here.updater.keys._asked_at = 0.0
    try:
        verifier.check(token)
    except CallerRefusedError as refusal:
        print("refused", repr(refusal), flush=True)
    here._supervised.call(lambda updater: updater._introspect(token), 20)

verifier = Verifier(url, key, "ask", key_refetch=1)
use(verifier)
child = os.fork()
if child == 0:
    use(verifier)
    for one in locks:
        if one.by_background and one.by_child and not any(known in one.made_at for known in REINITIALISED):
            print(one.made_at, flush=True)
    print("watched", len(locks) > 10, flush=True)
    os._exit(0)
os.waitpid(child, 0)
os._exit(0)
"""


def test_k10_a_child_waits_for_no_lock_that_a_thread_of_its_parent_may_hold(server: tuple[Running, str]) -> None:
    """K10: a thread of the parent would never release it in the child. All locks are watched, also libraries'."""
    assert printed(WATCHES_LOCKS, server).splitlines() == ["watched True"]


def printed(program: str, server: tuple[Running, str]) -> str:
    """What a process of its own prints that runs this with URL, key and a token."""
    running, key = server
    with running.browser() as browser:
        sign_in(browser, EMAIL)
        token = browser.cookies["access_token"]
    command = [sys.executable, "-c", program, running.base, key, token]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    print(done.stderr)  # what the kit logged, for who reads a failure
    assert done.returncode == 0
    return done.stdout
