"""O91: what ends the acting, or takes its place in the browser, leaves no way back behind; no front-end ends it; and it
goes on nowhere once nobody may act.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import FRONT_END, POLICY, World, world_on
from tests.stories.factors.apps import App, enrol, first_step, second_step
from tests.stories.factors.codes import asked, typed
from tests.stories.impersonation import EMAIL, acting_as_ada, begin, code_of_me
from tests.stories.impersonation.browsers import END, InBrowser, acting_in_browser, lose_access, whose
from tests.stories.passkeys import Authenticator, sign_in, store_passkey
from vestibule.flows.identify import why_over
from vestibule.model.impersonation import LIFETIME, Impersonation
from vestibule.model.letters import LetterKind
from vestibule.model.sessions import EndReason

GRACE = "grace@example.com"
OWN = {"access_token", "refresh_token", "operator_session"}


async def expires(world: World, _: InBrowser) -> None:
    world.clock.advance(seconds=LIFETIME.total_seconds() + 60)


async def expires_and_is_dropped(world: World, acting: InBrowser) -> None:
    """As browsers do with a cookie whose time is over."""
    await expires(world, acting)
    lose_access(acting.client)


async def is_ended_by_its_owner(world: World, acting: InBrowser) -> None:
    owner = await world.sign_in()
    assert (await owner.delete(f"/api/users/me/sessions/{acting.session_id}")).status_code == 200


async def goes_on(world: World, acting: InBrowser) -> None:
    assert await code_of_me(acting.client) == ""


@pytest.mark.parametrize("by", ["page", "POST", "GET"])
@pytest.mark.parametrize("so_far", [goes_on, expires, expires_and_is_dropped, is_ended_by_its_owner])
async def test_o91_to_sign_out_ends_the_operators_session_whatever_became_of_the_acting(
    world: World, so_far: Callable[[World, InBrowser], Awaitable[None]], by: str
) -> None:
    acting = await acting_in_browser(world)
    client, kept = acting.client, acting.client.cookies["operator_session"]
    csrf = csrf_in(await client.get("/profile"))
    await so_far(world, acting)
    if by == "page":
        answer = await client.post("/logout", data={"csrf": csrf})
        assert answer.headers["location"].startswith("/signedout"), answer.text
    else:
        answer = await client.request(by, "/api/auth/logout")
        assert answer.status_code == 200, answer.text
    assert OWN & set(client.cookies) == set()
    client.cookies.set("operator_session", kept, domain="localhost.local")
    await client.post(END)
    assert whose(client) == "", "the operator's own session is over too"


@pytest.mark.parametrize("by", ["page", "POST"])
async def test_o91_without_an_operator_s_session_an_expired_sign_out_is_refused_as_ever(world: World, by: str) -> None:
    """O91: and a form that another session made ends nothing."""
    await world.register(GRACE)
    client = await world.client("http://localhost:8000")
    client.headers["Cookie"] = "access_token=nonsense; operator_session=nonsense"
    if by == "page":
        answer = await client.post("/logout", data={"csrf": "x"})
        assert answer.headers["location"].startswith("/login")
    else:
        assert (await client.post("/api/auth/logout")).status_code == 401


async def test_o91_the_form_of_another_session_signs_no_operator_out(world: World) -> None:
    acting = await acting_in_browser(world)
    await expires_and_is_dropped(world, acting)
    assert (await acting.client.post("/logout", data={"csrf": "nonsense"})).status_code == 403
    await acting.client.post(END)
    assert whose(acting.client) == acting.operator.account.id


async def by_password(_: World, client: httpx.AsyncClient, __: App, ___: Authenticator) -> None:
    answer = await client.post("/api/auth/login", json={"email": EMAIL, "password": "correct horse"})
    assert answer.status_code == 200, answer.text


async def by_app(_: World, client: httpx.AsyncClient, app: App, __: Authenticator) -> None:
    await first_step(client, GRACE)
    assert await second_step(client, app.next_code()) == "ok"


async def by_passkey(_: World, client: httpx.AsyncClient, __: App, key: Authenticator) -> None:
    assert (await sign_in(client, key)).status_code == 200


async def by_email_code(world: World, client: httpx.AsyncClient, _: App, __: Authenticator) -> None:
    assert await typed(client, await asked(world, client, EMAIL)) == "ok"


@pytest.mark.parametrize("way", [by_password, by_app, by_passkey, by_email_code])
async def test_o91_a_sign_in_by_the_api_drops_the_way_back(
    world: World, way: Callable[[World, httpx.AsyncClient, App, Authenticator], Awaitable[None]]
) -> None:
    await world.register(GRACE)
    app, _ = await enrol(world, await world.sign_in(GRACE))
    key = Authenticator()
    await store_passkey(world, key, GRACE)
    acting = await acting_in_browser(world)
    verify = f"/api/auth/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}"
    assert (await (await world.client()).get(verify)).status_code == 200
    await way(world, acting.client, app, key)
    assert "operator_session" not in acting.client.cookies


async def test_o91_without_rotation_the_operator_keeps_the_refresh_token(backend: Backend) -> None:
    without = replace(POLICY, sessions=replace(POLICY.sessions, rotate=False))
    async with world_on(backend, without) as world:
        acting = await acting_in_browser(world)
        await acting.client.post(END)
        lose_access(acting.client)
        assert (await acting.client.get("/profile")).status_code == 200
        assert whose(acting.client) == acting.operator.account.id


async def test_o91_no_front_end_ends_it(world: World) -> None:
    """O91: be it a listed one: only the banner has the button."""
    acting = await acting_in_browser(world)
    sent = {"Origin": FRONT_END, "Sec-Fetch-Site": "same-site"}
    assert (await acting.client.post(END, headers=sent)).status_code == 403
    assert await code_of_me(acting.client) == ""


async def test_o91_an_old_browser_with_the_operators_session_alone_is_asked_where_from(world: World) -> None:
    """O91: it sends neither Origin nor Fetch Metadata, so another site may have made it send its cookies."""
    acting = await acting_in_browser(world)
    lose_access(acting.client)
    acting.client.headers.pop("Origin")
    sent = {"User-Agent": "Mozilla/5.0"}
    assert (await acting.client.post("/api/auth/logout", headers=sent)).status_code == 403


async def test_o91_where_nobody_may_act_what_was_begun_is_over(backend: Backend) -> None:
    async with world_on(backend) as world:
        acting = await acting_as_ada(world)
        async with world.env.store.reading() as read:
            found = await read.sessions.find(acting.session_id)
        assert found is not None
        off = replace(world.env, policy=replace(world.env.policy, impersonation=Impersonation.OFF))
        assert [why_over(env, *found) for env in (world.env, off)] == [None, EndReason.ACTING_ENDED]


async def test_o91_nobody_acts_as_an_owner_who_would_not_be_told(world: World) -> None:
    """O91: a mailbox gets ten such emails a day; the eleventh time is refused, and leaves no session and no event."""
    acting = await acting_as_ada(world)
    answers = [await begin(acting.operator, acting.person) for _ in range(10)]
    assert [answer.status_code for answer in answers] == [201] * 9 + [429]
    assert answers[-1].json()["code"] == "owner_not_told"
    async with world.env.store.reading() as read:
        events = await read.events.of_account(acting.person.id, 100)
    assert sum(event.kind.value == "acting_begun" for event in events) == 10
