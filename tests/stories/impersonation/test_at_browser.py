"""O66: an operator acts as somebody on the pages: whose cookies the browser has, what pages say, and the way back."""

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from tests.harness.backends import Backend
from tests.harness.forms import csrf_in
from tests.harness.world import POLICY, World, world_on
from tests.stories.impersonation import EMAIL, REASON, account_of, code_of_me, events_of, with_token
from tests.stories.impersonation.browsers import (
    END,
    NO_LONGER,
    SAYS_SO,
    acting_in_browser,
    begin_at,
    lose_access,
    whose,
    with_jar,
)
from tests.stories.operators.people import SignIn, operator_in
from vestibule.flows.administer import sign_out_everywhere
from vestibule.flows.impersonate import impersonate
from vestibule.flows.mark_verified import mark_verified
from vestibule.flows.set_role import set_role
from vestibule.model.accounts import Role
from vestibule.model.events import EventKind
from vestibule.model.impersonation import LIFETIME, Impersonation
from vestibule.model.operators import COMMAND_LINE, Operator

BANNER = f"{SAYS_SO} {EMAIL}"
BY_LANGUAGE = {
    "en": SAYS_SO,
    "de": "Sie handeln als",
    "es": "Está actuando en nombre de",
    "fr": "Vous agissez au nom de",
}
BY_LANGUAGE |= {"pt": "Está a agir em nome de"}


async def _refused(world: World, token: str) -> bool:
    return await code_of_me(await with_token(world, token)) != ""


async def test_o66_the_browser_has_the_persons_session_and_then_the_operators_again(world: World) -> None:
    acting = await acting_in_browser(world)
    client = acting.client
    assert whose(client) == acting.person.id
    assert client.cookies["operator_session"]
    me = (await client.get("/api/users/me")).json()["data"]
    assert (me["user"]["id"], me["actor"]["id"]) == (acting.person.id, acting.operator.account.id)
    assert BANNER in (await client.get("/profile")).text
    ended = await client.post(END)
    assert ended.headers["location"] == f"/admin/people/{acting.person.id}?done=acting-ended"
    page = await client.get(ended.headers["location"])
    assert "You are no longer acting as this person." in page.text
    assert SAYS_SO not in page.text
    assert whose(client) == acting.operator.account.id
    assert "operator_session" not in client.cookies
    assert await _refused(world, acting.token), "the acting token is over at once"


async def test_o66_what_ends_it_is_recorded_with_both_ids(world: World) -> None:
    acting = await acting_in_browser(world)
    await acting.client.post(END)
    begun, ended = (await events_of(world, acting.person))[-2:]
    assert (begun.kind, begun.detail["reason"]) == (EventKind.ACTING_BEGUN, REASON["reason"])
    assert (ended.kind, ended.detail["reason"]) == (EventKind.SESSION_ENDED, "acting_ended")
    assert {event.actor_id for event in (begun, ended)} == {acting.operator.account.id}
    assert {event.session_id for event in (begun, ended)} == {acting.session_id}


async def test_o66_no_app_gets_the_operators_tokens_meanwhile(world: World) -> None:
    acting = await acting_in_browser(world)
    client = acting.client
    assert "refresh_token" not in client.cookies
    assert (await client.post("/api/auth/refresh")).json()["code"] == "refresh_refused"
    client.cookies.set("theirs", "1", domain="localhost.local")
    forwarded = (await client.get("/api/auth/verify")).headers
    assert forwarded["vestibule-cookie"] == "theirs=1"
    assert forwarded["vestibule-actor"] == acting.operator.account.id
    stolen = await world.client("http://localhost:8000")
    stolen.headers["Cookie"] = f"refresh_token={client.cookies['operator_session']}"
    assert (await stolen.post("/api/auth/refresh")).json()["code"] == "refresh_refused"


@pytest.mark.parametrize("path", ["/profile", "/profile/security", "/admin", "/profile/delete", "/login", "/nowhere"])
async def test_o66_every_page_says_so_and_has_the_way_back(world: World, path: str) -> None:
    acting = await acting_in_browser(world)
    page = (await acting.client.get(path, headers={"Accept": "text/html"})).text
    assert BANNER in page
    assert f'action="{END}"' in page


@pytest.mark.parametrize("language", BY_LANGUAGE)
async def test_o66_in_every_language(world: World, language: str) -> None:
    acting = await acting_in_browser(world)
    page = (await acting.client.get("/profile", headers={"Accept-Language": language})).text
    assert f"{BY_LANGUAGE[language]} {EMAIL}" in page


async def test_o66_nobody_else_is_told_anything(world: World) -> None:
    acting = await acting_in_browser(world)
    owner = await world.sign_in()
    for client in (owner, await world.client()):
        for path in ("/profile", "/login", "/nowhere"):
            page = await client.get(path, headers={"Accept": "text/html"})
            assert END not in page.text
            assert "operator_session" not in str(page.headers)
    assert acting.operator.account.email not in (await owner.get("/profile/security")).text


async def test_o66_the_owners_pages_say_so_in_words(world: World) -> None:
    acting = await acting_in_browser(world)
    owner = await world.sign_in()
    page = (await owner.get("/profile/security")).text
    assert "<strong>An administrator, signed in as you</strong>" in page
    assert "<div>An administrator signed in as you</div>" in page
    await acting.client.post(END)
    assert "An administrator was signed in as you, and no longer is." in (await owner.get("/profile/security")).text


async def test_o66_a_form_with_the_operators_own_secret_is_refused(world: World) -> None:
    """A tab of the console that was open before, and a tab of the operator's own account."""
    acting = await acting_in_browser(world)
    own = acting.operator.form
    for path, fields in {
        f"/admin/people/{acting.person.id}/delete": {"email": EMAIL},
        f"/admin/people/{acting.person.id}/impersonate": REASON,
        "/profile/name": {"name": "Mallory"},
        "/profile/security/sessions": {},
    }.items():
        answer = await acting.client.post(path, data={**own, **fields})
        assert answer.status_code == 403, path
    assert (await account_of(world)).name == "Ada Lovelace"


async def test_o66_another_site_ends_nothing(world: World) -> None:
    acting = await acting_in_browser(world)
    elsewhere = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert (await acting.client.post(END, headers=elsewhere)).status_code == 403
    assert BANNER in (await acting.client.get("/profile")).text


async def test_o66_when_it_has_expired_the_way_back_is_still_there(world: World) -> None:
    acting = await acting_in_browser(world)
    world.clock.advance(seconds=LIFETIME.total_seconds() + 60)
    lose_access(acting.client)
    page = (await acting.client.get("/login")).text
    assert f"{NO_LONGER} {EMAIL}" in page
    await acting.client.post(END)
    assert whose(acting.client) == acting.operator.account.id


async def test_o66_when_the_owner_has_ended_it_too(world: World) -> None:
    acting, owner = await acting_in_browser(world), await world.sign_in()
    assert (await owner.delete(f"/api/users/me/sessions/{acting.session_id}")).status_code == 200
    over = await acting.client.get("/profile")
    assert over.headers["location"].startswith("/signedout")
    assert f"{NO_LONGER} {EMAIL}" in (await acting.client.get(over.headers["location"])).text
    await acting.client.post(END)
    assert whose(acting.client) == acting.operator.account.id


async def test_o66_it_ends_though_the_browser_has_lost_its_token(world: World) -> None:
    acting = await acting_in_browser(world)
    lose_access(acting.client)
    await acting.client.post(END)
    assert await _refused(world, acting.token)


async def test_o66_of_two_tabs_that_began_at_once_none_goes_on(world: World) -> None:
    """The browser keeps the cookies of the answer that came last."""
    acting = await acting_in_browser(world)
    await world.register("grace@example.com")
    grace = await account_of(world, "grace@example.com")
    async with world.env.store.reading() as read:
        (own,) = await read.sessions.of_account(acting.operator.account.id, 2, world.clock.now())
    operator = Operator(acting.operator.account.id, own.id, "192.0.2.7")
    other = await impersonate(world.env, operator, grace.id, "a ticket")
    await acting.client.post(END)
    assert await _refused(world, acting.token)
    assert await _refused(world, other.tokens.access_token)


async def test_o66_an_hour_later_the_operators_session_is_not_given_back(world: World) -> None:
    acting = await acting_in_browser(world)
    world.clock.advance(seconds=3601)
    lose_access(acting.client)
    assert (await acting.client.post(END)).headers["location"] == "/admin/people"
    assert whose(acting.client) == ""


async def test_o66_if_the_operator_was_signed_out_meanwhile_nobody_is_signed_in(world: World) -> None:
    acting = await acting_in_browser(world)
    await sign_out_everywhere(world.env, COMMAND_LINE, acting.operator.account)
    ended = await acting.client.post(END)
    assert ended.headers["location"] == f"/login?return_to=%2Fadmin%2Fpeople%2F{acting.person.id}"
    assert {"access_token", "refresh_token", "operator_session"} & set(acting.client.cookies) == set()


@pytest.mark.parametrize("by", ["page", "api"])
async def test_o66_to_sign_out_ends_both(world: World, by: str) -> None:
    """Whoever signs out leaves nothing behind that the next one at the browser returns to."""
    acting = await acting_in_browser(world)
    client = acting.client
    kept = client.cookies["operator_session"]
    if by == "api":
        assert (await client.post("/api/auth/logout")).status_code == 200
    else:
        await client.post("/logout", data={"csrf": csrf_in(await client.get("/profile"))})
    assert {"access_token", "refresh_token", "operator_session"} & set(client.cookies) == set()
    assert await _refused(world, acting.token)
    client.cookies.set("operator_session", kept, domain="localhost.local")
    assert (await client.post(END)).headers["location"].startswith("/login")
    assert whose(client) == ""


async def test_o66_a_sign_in_as_somebody_else_ends_the_way_back(world: World) -> None:
    acting = await acting_in_browser(world)
    await world.register("grace@example.com")
    fields = {"email": "grace@example.com", "password": "correct horse"}
    assert (await acting.client.post("/login", data=fields)).status_code == 303
    assert "operator_session" not in acting.client.cookies
    assert SAYS_SO not in (await acting.client.get("/profile")).text


async def test_o66_another_tab_that_brought_the_operator_back_keeps_its_cookies(world: World) -> None:
    """A tab refreshed while the acting began: its answer came last."""
    await world.register(EMAIL)
    ada, operator = await account_of(world), await operator_in(world, Role.ADMIN)
    client = with_jar(operator)
    own = client.cookies["access_token"]
    await begin_at(client, ada)
    token = client.cookies["access_token"]
    client.cookies.set("access_token", own, domain="localhost.local")
    assert SAYS_SO not in (await client.get("/profile")).text
    assert (await client.post(END)).headers["location"] == "/admin/people"
    assert client.cookies["access_token"] == own
    assert await _refused(world, token)


async def test_o66_a_token_of_the_api_put_into_a_browser_is_told_and_ended_too(world: World) -> None:
    acting = await acting_in_browser(world)
    by_hand = await with_token(world, acting.token)
    assert BANNER in (await by_hand.get("/profile")).text
    assert (await by_hand.post(END)).headers["location"] == "/signedout"
    assert await _refused(world, acting.token)


@pytest.mark.parametrize("reason", ["", "  ", "a\nb", "x" * 501])
async def test_o66_without_a_reason_the_form_comes_back(world: World, reason: str) -> None:
    await world.register(EMAIL)
    ada, client = await account_of(world), with_jar(await operator_in(world, Role.ADMIN))
    answer = await begin_at(client, ada, reason=reason)
    assert answer.status_code == 400
    assert '<p class="fault"' in answer.text
    assert "operator_session" not in client.cookies


async def test_o66_nobody_acts_as_who_became_an_operator_while_the_form_was_open(world: World) -> None:
    await world.register(EMAIL)
    ada, client = await account_of(world), with_jar(await operator_in(world, Role.ADMIN))
    at = f"/admin/people/{ada.id}"
    csrf = csrf_in(await client.get(f"{at}/impersonate"))
    await mark_verified(world.env, COMMAND_LINE, ada)
    await set_role(world.env, COMMAND_LINE, ada, Role.AUDITOR)
    answer = await client.post(f"{at}/impersonate", data={"csrf": csrf, **REASON})
    assert answer.status_code == 409
    assert "Nobody can act as this person" in answer.text
    assert f'href="{at}/impersonate"' not in (await client.get(at)).text


async def test_o66_the_button_is_shown_to_who_may_press_it(backend: Backend) -> None:
    async with world_on(backend, replace(POLICY, impersonation=Impersonation.UNTOLD)) as world:
        await world.register(EMAIL)
        at = f"/admin/people/{(await account_of(world)).id}"
        assert await _has_button((await operator_in(world, Role.ADMIN)).client, at)
        assert not await _has_button((await operator_in(world, Role.HELPER)).client, at)
    async with world_on(backend, replace(POLICY, impersonation=Impersonation.OFF)) as world:
        await world.register("off@example.com")
        at = f"/admin/people/{(await account_of(world, 'off@example.com')).id}"
        client = (await operator_in(world, Role.ADMIN)).client
        assert not await _has_button(client, at)
        assert (await client.get(f"{at}/impersonate")).status_code == 404


async def _has_button(client: httpx.AsyncClient, at: str) -> bool:
    return f'href="{at}/impersonate"' in (await client.get(at)).text


async def test_o66_a_second_click_begins_no_second_one(world: World) -> None:
    await world.register(EMAIL)
    ada, client = await account_of(world), with_jar(await operator_in(world, Role.ADMIN))
    at, own = f"/admin/people/{ada.id}/impersonate", dict(client.cookies)
    form = {"csrf": csrf_in(await client.get(at)), **REASON}
    browser = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
    tokens = set()
    for _ in range(2):  # the browser sends both before it has an answer
        client.cookies.clear()
        for name, value in own.items():
            client.cookies.set(name, value, domain="localhost.local")
        await client.post(at, data=form, headers=browser)
        tokens.add(client.cookies["access_token"])
    assert len(tokens) == 1
    assert [event.kind for event in await events_of(world, ada)].count(EventKind.ACTING_BEGUN) == 1


async def test_o66_back_at_the_console_a_stale_sign_in_is_asked_for_again(world: World) -> None:
    acting = await acting_in_browser(world)
    world.clock.advance(minutes=16)
    back = (await acting.client.post(END)).headers["location"]
    assert (await acting.client.get(back)).headers["location"].startswith("/reauthenticate?")


async def test_o66_a_stale_sign_in_begins_nothing(world: World) -> None:
    await world.register(EMAIL)
    ada = await account_of(world)
    stale = await operator_in(world, Role.ADMIN, SignIn(ago=timedelta(minutes=16)))
    answer = await stale.client.post(f"/admin/people/{ada.id}/impersonate", data={**stale.form, **REASON})
    assert answer.headers["location"].startswith("/reauthenticate")
    assert [event.kind for event in await events_of(world, ada)].count(EventKind.ACTING_BEGUN) == 0
