"""What a process remembers of callers: never more than it may, and nothing is dropped for what it knows already."""

from tests.harness.clock import ManualClock
from tests.unit.storage import an_account
from vestibule.protocol.access_tokens import AccessToken
from vestibule.state.memory import Caller, CallerMemory

SIZE = 3
ACCOUNT = an_account()


def caller_of(session: str) -> Caller:
    return Caller(session, ACCOUNT, ManualClock().now())


def token_of(session: str) -> AccessToken:
    return AccessToken("t", ACCOUNT.id, session, "user", 0, 900)


def full() -> CallerMemory:
    """A memory that has as many tokens and sessions as it may."""
    memory = CallerMemory(SIZE)
    for number in range(SIZE):
        memory.keep_session(caller_of(f"s{number}"))
        memory.keep_token(b"%d" % number, token_of(f"s{number}"))
    return memory


def remembered(memory: CallerMemory) -> tuple[list[int], list[int]]:
    """Which of the first sessions and tokens are there."""
    numbers = range(SIZE + 1)
    sessions = [number for number in numbers if memory.session(f"s{number}")]
    return sessions, [number for number in numbers if memory.token(b"%d" % number)]


def test_a_full_memory_drops_the_oldest_for_a_new_one() -> None:
    memory = full()
    memory.keep_session(caller_of(f"s{SIZE}"))
    memory.keep_token(b"%d" % SIZE, token_of(f"s{SIZE}"))
    assert remembered(memory) == ([1, 2, 3], [1, 2, 3])


def test_a_full_memory_drops_nothing_for_what_it_has() -> None:
    """Two requests at once look the same session up, and both keep it."""
    memory = full()
    memory.keep_session(caller_of(f"s{SIZE - 1}"))
    memory.keep_token(b"%d" % (SIZE - 1), token_of(f"s{SIZE - 1}"))
    assert remembered(memory) == ([0, 1, 2], [0, 1, 2])
