"""The contract, row by row, on SQLite and on PostgreSQL with Redis; and that nothing was left out of it."""

import importlib
import pkgutil
import re
from collections import defaultdict

import pytest
from structlog.testing import capture_logs

import vestibule
from tests.harness import dump
from tests.harness.backends import Backend
from tests.harness.dump import Tables
from tests.harness.world import World, world_on
from tests.stories.contract.answers import PASSWORD_HASHES, STEERING_WORDS, cleared, signed_in
from tests.stories.contract.devices import CHANGE, CHANGE_EMAIL, DEVICES, STEP_UP, VERIFY
from tests.stories.contract.happenings import enters, letters_arrive, letters_sent, passing, registered
from tests.stories.contract.refresh import REFRESH
from tests.stories.contract.register import CODE, VERIFIED, WRONG
from tests.stories.contract.reset import ASKED, DONE, ask, choose
from tests.stories.contract.sign_in import OUT, WHO
from tests.stories.contract.steps import NEW_PASSWORD, Row, Scene, Step, get, login, play
from tests.stories.contract.table import HARMLESS, ROWS, STANDING
from tests.stories.contract.transport import FEED, INTROSPECT
from vestibule.model import email_code_errors, factor_errors, operator_errors
from vestibule.model.errors import (
    EmailChangeInvalid,
    EmailChangeOfAnother,
    Fault,
    InvitationInvalid,
    NotReady,
    Overloaded,
    PasswordTooEasy,
    ReauthenticationRequired,
    Refusal,
    StoreUnavailable,
    TooManyFollowers,
    TooManyPolls,
)
from vestibule.model.sessions import EndReason
from vestibule.web.asking_service import service
from vestibule.web.caller import signed_in as signed_in_guard
from vestibule.web.csrf import own_pages, own_site, own_site_refresh
from vestibule.web.errors import HTTP_MAPPINGS
from vestibule.web.map_reading import PAGES, ROUTES
from vestibule.web.request_errors import (
    CrossSite,
    CrossSiteRefresh,
    FetchedAhead,
    HostInvalid,
    HostUnknown,
    NonceInvalid,
    ReservedHeader,
    ReturnToTooLong,
    TransferCodingUnknown,
)
from vestibule.web.routes import DEVELOPMENT_PAGES
from vestibule.web.signing_out import signing_out

# Told in tests/stories/factors, with apps and codes.
FOR_FACTORS = {(route.method, route.path) for route in ROUTES if "factor" in route.path or "enrol" in route.path}
# Told in tests/stories/operators, by role.
FOR_OPERATORS = {(route.method, route.path) for route in ROUTES if route.permission is not None}
# Told in tests/stories/services, to those who hold a key.
FOR_SERVICES = {("GET", FEED), ("POST", INTROSPECT)}

# A day in Ada's life, so that everything there is to store has been stored.
A_DAY = Row(
    "a day",
    login(),
    signed_in(),
    # Redis forgets by its own clock, which must not be ahead of ours.
    given=(registered, Step(get(CODE), VERIFIED), passing(days=3650)),
    then=(
        Step(login(password="wrong horse"), WRONG),
        Step(get(REFRESH), signed_in()),
        Step(get(OUT), cleared()),
        Step(ask, ASKED),
        letters_arrive,
        Step(choose, DONE),
        Step(ask, ASKED),
        letters_arrive,
        letters_sent(4),  # one of them tells that the password was changed
        enters("phone", password=NEW_PASSWORD),
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_as_the_contract_says(row: Row, backend: Backend) -> None:
    """S4, S7, T13, B5, B7, H3, O5: as the contract says."""
    # Captured, because drawing the traceback of a fault that was meant takes seconds.
    with capture_logs():
        async with world_on(backend, row.under.policy, row.under.web) as world:
            await play(row, await Scene.on(world))


async def test_what_changes_nothing(world: World, subtests: pytest.Subtests) -> None:
    """B5, B7, H3, H9, O13: what changes nothing."""
    scene = await Scene.on(world)
    for happening in STANDING:
        await happening(scene)
    before = await dump.tables(world)
    for row in HARMLESS:
        with subtests.test(row.name):
            await play(row, scene.apart())
    await world.deliver()
    assert _but_events(await dump.tables(world)) == _but_events(before)


async def test_nothing_stored_lets_anybody_in(world: World) -> None:
    """S1, R1, O15: nothing stored lets anybody in."""
    scene = await Scene.on(world)
    await play(A_DAY, scene)
    stored = await dump.tables(world)
    assert all(stored[table] for table in ("accounts", "sessions", "one_time_tokens", "letters", "events"))
    assert (len(scene.secrets), len(scene.tokens)) == (
        7,
        9,
    )  # three passwords, four links; two tokens, three times, three devices
    assert _found(scene.secrets | scene.tokens, str(stored)) == set()


async def test_the_replica_lets_nobody_in(racing_world: World) -> None:
    """S1, R1, O15: the replica lets nobody in."""
    scene = await Scene.on(racing_world)
    await play(A_DAY, scene)
    replicated = await dump.replicated(racing_world)
    (live,) = [row[0] for row in (await dump.tables(racing_world))["sessions"] if set(EndReason).isdisjoint(row)]
    assert f"session:{live}" in replicated
    assert _found({*PASSWORD_HASHES, *scene.secrets, *scene.tokens}, str(replicated)) == set()


def test_every_refusal_has_its_look() -> None:
    # One that has no code of its own, nor inherits any, stands for several others.
    kinds = {kind for kind in _kinds_of(Refusal) | _kinds_of(Fault) if hasattr(kind, "code")}
    assert set(HTTP_MAPPINGS) == kinds
    for kind, look in HTTP_MAPPINGS.items():
        assert 400 <= look.status < 500 if issubclass(kind, Refusal) else look.status == 503
        for words, codes in STEERING_WORDS.items():
            assert words not in (look.message or "") or kind.code in codes


def test_every_code_is_one_refusals_own() -> None:
    of_code = defaultdict(set)
    for kind in HTTP_MAPPINGS:
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", kind.code)
        of_code[kind.code].add(kind)
    shared = {code: kinds for code, kinds in of_code.items() if len(kinds) > 1}
    assert shared == {CrossSite.code: {CrossSite, CrossSiteRefresh}}


FOR_THE_SIGNED_IN = {
    CHANGE,
    CHANGE_EMAIL,
    DEVICES,
    f"{DEVICES}/{{session_id}}",
    STEP_UP,
    f"{STEP_UP}/options",
    VERIFY,
    *(path for _, path in FOR_FACTORS if path.startswith(WHO)),
    *(path for _, path in FOR_OPERATORS),
}


def test_every_route_is_guarded() -> None:
    """B1: every route is guarded."""
    assert [route for route in (*ROUTES, *PAGES, *DEVELOPMENT_PAGES) if not route.guards] == []
    own_site_guards = {own_pages, own_site, own_site_refresh}
    changing = [
        route
        for route in (*ROUTES, *PAGES, *DEVELOPMENT_PAGES)
        if route.method in {"POST", "PATCH", "DELETE"} or route.path in {OUT, REFRESH}
        if service not in route.guards  # no browser sends a service key by itself
    ]
    assert [r for r in changing if r.method != "HEAD" and own_site_guards.isdisjoint(r.guards)] == []
    signed_in_guards = {signed_in_guard, signing_out}
    assert {route.path for route in ROUTES if signed_in_guards & {*route.guards}} == {
        OUT,
        WHO,
        *FOR_THE_SIGNED_IN,
    }


def test_every_route_and_every_refusal_is_in_the_table() -> None:
    steps = [step for row in (*ROWS, *HARMLESS) for step in row.happenings if isinstance(step, Step)]
    asked = {(step.send.method, step.send.path) for step in steps if step.expect.status < 300}
    unasked = {(route.method, route.path) for route in ROUTES if route.path.startswith("/api/")} - asked
    # Ending one device by its id is told in tests/unit/web/test_devices.py, where ids are known.
    # Passkeys, which need an authenticator, are told in tests/stories/passkeys.
    unasked -= {(route.method, route.path) for route in ROUTES if "/auth/passkeys" in route.path}
    unasked -= {("POST", f"{STEP_UP}/options")}
    # Email codes, which are mailed, are told in tests/stories/factors.
    unasked -= {(route.method, route.path) for route in ROUTES if "/auth/email-code" in route.path}
    assert unasked == {("DELETE", f"{DEVICES}/{{session_id}}"), *FOR_SERVICES, *FOR_FACTORS, *FOR_OPERATORS}
    # The contract knows nothing of these. Pages alone tell of `return_to`, and of links that change an email.
    busy = (Overloaded, TooManyFollowers, TooManyPolls, StoreUnavailable, NotReady)
    unreadable = (HostInvalid, HostUnknown, TransferCodingUnknown, FetchedAhead, ReservedHeader, NonceInvalid)
    by_page = (EmailChangeInvalid, EmailChangeOfAnother, InvitationInvalid, ReturnToTooLong)
    modules = {factor_errors.__name__, email_code_errors.__name__, operator_errors.__name__}
    of_modules = [kind for kind in HTTP_MAPPINGS if kind.__module__ in modules]
    elsewhere = (*of_modules, *busy, *unreadable, *by_page, ReauthenticationRequired, PasswordTooEasy)
    told = {step.expect.body["code"] for step in steps if step.expect.body and "code" in step.expect.body}
    assert {kind.code for kind in HTTP_MAPPINGS} - told == {kind.code for kind in elsewhere}


def _but_events(tables: Tables) -> Tables:
    """That somebody was refused is itself an event, and wrong passwords are counted."""
    return {name: sorted(rows, key=str) for name, rows in tables.items() if name not in {"events", "login_attempts"}}


def _found(secrets: set[str], everything: str) -> set[str]:
    return {secret for secret in secrets if secret in everything}


def _kinds_of(root: type[Exception]) -> set[type[Exception]]:
    """Every class below `root` that any module of the server defines. The kit has none, and parts of it need Django set
    up.
    """
    for module in pkgutil.walk_packages(vestibule.__path__, "vestibule."):
        if not re.search(r"\.(migrations|client|__main__)\b", module.name):
            importlib.import_module(module.name)
    below = set(root.__subclasses__())
    return below.union(*(_kinds_of(kind) for kind in below))
