"""O55: what the kit knows of permissions, and when it says that it cannot know."""

import pickle
from collections.abc import Callable

import httpx
import pytest

from tests.harness.clock import ManualClock
from tests.harness.world import key_ring
from tests.unit.client.knowing import EXPECTED, Knowing
from vestibule.client import CannotTellError, PermissionMissingError
from vestibule.client.permission_book import LATE_ROLE_SECONDS, USABLE_SECONDS, PermissionBook
from vestibule.client.permission_keeper import PermissionKeeper
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.protocol import permissions
from vestibule.protocol.permissions import Permissions, version_of

KEYS = key_ring().access
BILLING, USER = ("user", "billing"), ("user",)


def document(**roles: str) -> Permissions:
    permitted = {"user": frozenset[str](), **{name: frozenset(text.split()) for name, text in roles.items()}}
    return Permissions(permitted, version_of(permitted))


OLD, NEW = document(billing="invoices:read"), document(billing="invoices:write")


def answering(text: str, etag: str = "") -> httpx.Response:
    """A response that is read as one from the network is."""
    return httpx.Response(200, stream=httpx.ByteStream(text.encode()), headers={"ETag": etag})


class Asking:
    """A book whose Vestibule is a function, under a clock that the test moves."""

    def __init__(self, *, accepts_stale: bool = False) -> None:
        self.clock = ManualClock()
        self.book = PermissionBook(self.clock, accepts_stale=accepts_stale)
        self.published, self.issued_at = OLD, 1_000
        self.asked: list[str] = []
        self.answer: Callable[[httpx.Request], httpx.Response] = self.publish
        self.keeper = PermissionKeeper(
            self.book, lambda: KEYS.checking, EXPECTED, self.clock, ThrottledWarnings(self.clock)
        )

    def publish(self, request: httpx.Request) -> httpx.Response:
        etag = f'W/"{self.published.version}"'
        self.asked.append(request.headers.get("If-None-Match", ""))
        if request.headers.get("If-None-Match") == etag:
            return httpx.Response(304, headers={"ETag": etag})
        return answering(permissions.sign(self.published, "vestibule", self.issued_at, KEYS.signing), etag)

    async def fetch(self) -> None:
        transport = httpx.MockTransport(self.answer)
        async with httpx.AsyncClient(transport=transport, base_url="https://auth.example.com") as http:
            await self.keeper.fetch(http)

    def beat(self, listed: Permissions) -> None:
        self.keeper.note_listed(listed.version, self.clock.monotonic())


async def known() -> Asking:
    asking = Asking()
    asking.beat(OLD)
    await asking.fetch()
    return asking


async def test_o55_nothing_is_known_before_the_first_document() -> None:
    asking = Asking()
    with pytest.raises(CannotTellError):
        asking.book.of(USER)
    asking.beat(OLD)
    assert asking.book.needs_fetch
    with pytest.raises(CannotTellError):
        asking.book.has(BILLING, "invoices:read")
    await asking.fetch()
    assert not asking.book.needs_fetch
    assert asking.book.of(BILLING) == {"invoices:read"}
    assert (asking.book.has(BILLING, "invoices:read"), asking.book.has(USER, "invoices:read")) == (True, False)


async def test_o55_another_version_is_fetched_and_until_then_the_last_one_holds_ten_seconds() -> None:
    """O55: a permission that was taken away is not used for longer, whatever happens to the fetches."""
    asking = await known()
    asking.published = NEW
    asking.clock.advance(seconds=1)
    asking.beat(NEW)
    assert asking.book.needs_fetch
    for _ in range(int(USABLE_SECONDS) - 1):
        assert asking.book.has(BILLING, "invoices:read")
        asking.clock.advance(seconds=1)
        asking.beat(NEW)
    asking.clock.advance(seconds=0.5)
    with pytest.raises(CannotTellError):
        asking.book.has(BILLING, "invoices:read")
    await asking.fetch()
    assert (asking.book.has(BILLING, "invoices:read"), asking.book.has(BILLING, "invoices:write")) == (False, True)


async def test_o55_a_document_of_a_process_that_lags_behind_does_not_come_back() -> None:
    asking = await known()
    asking.published = NEW
    asking.beat(NEW)
    await asking.fetch()
    asking.published = OLD
    for seconds in (0, 2, 5):
        asking.clock.advance(seconds=seconds)
        await asking.fetch()
        assert asking.book.document == NEW
    asking.keeper.note_listed(OLD.version, asking.clock.monotonic() - 60)
    assert not asking.book.needs_fetch


async def test_o55_without_a_feed_a_fetch_tells_and_304_is_enough() -> None:
    asking = Asking()
    await asking.fetch()
    asking.clock.advance(seconds=USABLE_SECONDS / 2 + 1)
    assert asking.book.has(BILLING, "invoices:read")
    assert asking.book.needs_fetch, "it is asked for again before it is too old"
    await asking.fetch()
    assert asking.asked == ["", f'W/"{OLD.version}"']
    asking.clock.advance(seconds=USABLE_SECONDS - 1)
    assert asking.book.has(BILLING, "invoices:read")
    asking.clock.advance(seconds=2)
    with pytest.raises(CannotTellError):
        asking.book.has(BILLING, "invoices:read")


async def test_o55_who_accepts_stale_revocations_accepts_stale_permissions() -> None:
    asking = Asking(accepts_stale=True)
    with pytest.raises(CannotTellError):
        asking.book.of(USER)
    await asking.fetch()
    asking.clock.advance(seconds=3600)
    assert asking.book.has(BILLING, "invoices:read")


async def test_o95_one_that_was_signed_before_another_does_not_come_back() -> None:
    """O95: not with `when_stale="accept"` either, nor step by step."""
    for accepts_stale in (False, True):
        asking = Asking(accepts_stale=accepts_stale)
        asking.published = NEW
        await asking.fetch()
        asking.published = OLD
        for seconds in (61, 500, 999):
            asking.issued_at = 1_000 - seconds
            asking.clock.advance(seconds=2)
            await asking.fetch()
            assert asking.book.document == NEW
            assert asking.asked[-1] == f'W/"{NEW.version}"', "the one that is known"
        asking.book.drop()
        await asking.fetch()
        assert asking.book.document is None, "what was known is dropped, and when it was signed is not"
        asking.issued_at = 941
        await asking.fetch()
        assert asking.book.document == OLD, "a machine whose clock is behind signs it so"
        asking.published, asking.issued_at = document(billing="invoices:delete"), 930
        await asking.fetch()
        assert asking.book.document == OLD, "the newest is what counts"


async def test_o95_what_the_feed_lists_now_is_current_whenever_it_was_signed() -> None:
    """O95: clocks of two machines may be hours apart."""
    asking = await known()
    asking.published, asking.issued_at = NEW, 0
    asking.beat(NEW)
    await asking.fetch()
    assert asking.book.has(BILLING, "invoices:write")


async def test_o95_the_same_document_signed_by_a_clock_that_is_behind_stays_current() -> None:
    asking = Asking()
    await asking.fetch()
    asking.issued_at, asking.keeper._etag = 0, ""
    asking.clock.advance(seconds=USABLE_SECONDS - 1)
    await asking.fetch()
    asking.clock.advance(seconds=USABLE_SECONDS - 1)
    assert asking.book.has(BILLING, "invoices:read")


async def test_o95_stale_permissions_are_accepted_only_while_the_feed_is_away() -> None:
    """O95: somebody between who withholds the document alone does not keep a permission that was taken away."""
    asking = Asking(accepts_stale=True)
    asking.beat(OLD)
    await asking.fetch()
    for _ in range(int(USABLE_SECONDS)):
        asking.clock.advance(seconds=1)
        asking.beat(NEW)
        assert asking.book.has(BILLING, "invoices:read")
    asking.clock.advance(seconds=1)
    asking.beat(NEW)
    with pytest.raises(CannotTellError):
        asking.book.has(BILLING, "invoices:read")
    asking.clock.advance(seconds=USABLE_SECONDS + 1)
    assert asking.book.has(BILLING, "invoices:read"), "Vestibule is away"


async def test_o55_an_unknown_role_is_asked_for_at_once_and_permits_nothing() -> None:
    """O55: for three seconds nobody can tell, because a process of Vestibule may not know it yet."""
    asking, woken = await known(), list[bool]()
    asking.book.on_need = lambda: woken.append(True)
    caller = (*BILLING, "editor")
    assert asking.book.has(caller, "invoices:read"), "which another role permits anyway"
    assert woken == []
    with pytest.raises(CannotTellError):
        asking.book.has(caller, "texts:write")
    assert (woken, asking.book.needs_fetch) == ([True], True)
    asking.published = document(billing="invoices:read", editor="texts:write")
    asking.beat(asking.published)
    await asking.fetch()
    assert asking.book.has(caller, "texts:write")
    with pytest.raises(CannotTellError):
        asking.book.of((*USER, "deleted"))
    asking.clock.advance(seconds=LATE_ROLE_SECONDS)
    assert asking.book.of((*USER, "deleted")) == frozenset()


@pytest.mark.parametrize(
    "text",
    ["", "x", "a.b.c", "é", "a" * 200_001, permissions.sign(OLD, "another", 0, KEYS.signing)],
    ids=["nothing", "no document", "no signature", "not ASCII", "too long", "another issuer"],
)
async def test_o55_a_document_that_is_none_changes_nothing(text: str) -> None:
    asking = await known()
    asking.answer = lambda _: answering(text)
    with pytest.raises(Exception, match="not signed by a key in force"):
        await asking.fetch()
    assert asking.book.document == OLD


@pytest.mark.parametrize("status", [404, 500, 503])
async def test_o55_an_answer_that_is_none_changes_nothing(status: int) -> None:
    asking = await known()
    asking.answer = lambda _: httpx.Response(status)
    with pytest.raises(Exception, match=str(status)):
        await asking.fetch()
    assert asking.book.document == OLD


def test_o55_a_caller_s_permissions_are_those_of_now_and_go_along_when_pickled() -> None:
    knowing = Knowing()
    book = knowing.memory.permissions
    caller = knowing.memory.decide(knowing.token(roles=("billing",)))
    assert caller.roles == ("billing",)
    with pytest.raises(CannotTellError):
        caller.require_permission("invoices:read")
    unknown = pickle.loads(pickle.dumps(caller))
    book.learn(OLD, knowing.clock.monotonic())
    assert caller.permissions == {"invoices:read"}
    kept = pickle.loads(pickle.dumps(caller))
    book.learn(NEW, knowing.clock.monotonic())
    assert (caller.permissions, kept.permissions) == ({"invoices:write"}, {"invoices:read"})
    assert kept == caller
    with pytest.raises(CannotTellError):
        unknown.has_permission("invoices:read")
    with pytest.raises(PermissionMissingError) as refused:
        caller.require_permission("invoices:read")
    assert pickle.loads(pickle.dumps(refused.value)).permission == "invoices:read"
    caller.require("billing")
