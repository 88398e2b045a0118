"""O63: the whole URL map, asked by an operator who acts as somebody: nothing is written but the end of that."""

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest

from tests.harness.dump import tables
from tests.harness.world import World
from tests.stories.impersonation import Acting, acting_as_ada, events_of
from tests.stories.impersonation.browsers import END, InBrowser, acting_in_browser
from vestibule.crypto import bound_tokens
from vestibule.web.caller import signed_in
from vestibule.web.map_lines import Line, Page
from vestibule.web.map_reading import PAGES, ROUTES
from vestibule.web.pages.browser_session import browser_session, session_form
from vestibule.web.signing_out import signing_out, signing_out_form

pytestmark = pytest.mark.any_engine
LINES = (*ROUTES, *PAGES)
OF_A_CALLER = {signed_in, browser_session, session_form, signing_out, signing_out_form}
FINDS_A_CALLER = [line for line in LINES if OF_A_CALLER & set(line.guards)]
OWNERS_ALONE = [line for line in FINDS_A_CALLER if not line.while_acting]
OPEN = [line for line in FINDS_A_CALLER if line.while_acting]
ANSWERS_TO_ACTING = {"/api/revocations", END}  # a stream; and the page that ends the acting of a token too
OF_ANYBODY = [line for line in LINES if line not in FINDS_A_CALLER and line.path not in ANSWERS_TO_ACTING]
NOT_HERE = "<h1>Not while you act as somebody else</h1>"
# What acting may do: read what the person sees, and end the acting.
MAY = {
    ("GET", "/api/users/me"),
    ("GET", "/api/users/me/factors"),
    ("GET", "/api/users/me/factors/passkeys"),
    ("GET", "/api/users/me/sessions"),
    ("GET", "/api/auth/verify"),
    ("GET", "/profile"),
    ("GET", "/profile/security"),
}
MAY_END = {("GET", "/api/auth/logout"), ("POST", "/api/auth/logout"), ("POST", "/logout")}
MAY |= MAY_END | {("HEAD", "/api/auth/logout")}


def by_line(lines: list[Line]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("line", lines, ids=lambda line: f"{line.method} {line.path}")


async def ask(world: World, line: Line, client: httpx.AsyncClient, session_id: str) -> httpx.Response:
    path = re.sub(r"\{\w+\}", session_id, line.path)
    if line.method in {"GET", "HEAD"}:
        return await client.request(line.method, path)
    if isinstance(line, Page):
        csrf = bound_tokens.mint(world.env.keys.refresh.form_key, session_id)
        return await client.request(line.method, path, data={"csrf": csrf})
    return await client.request(line.method, path, json={})


def is_refused(line: Line, answer: httpx.Response) -> bool:
    said = NOT_HERE in answer.text if isinstance(line, Page) else answer.json()["code"] == "not_while_acting"
    return answer.status_code == 403 and said


def test_o63_what_acting_may_do_is_this_and_nothing_else() -> None:
    assert {(line.method, line.path) for line in OPEN} == MAY
    assert [line for line in LINES if line.while_acting and line.permission is not None] == []


@by_line(OWNERS_ALONE)
@pytest.mark.parametrize("begin", [acting_as_ada, acting_in_browser], ids=["by token", "in a browser"])
async def test_o63_what_is_the_owners_alone_is_refused_and_changes_nothing(
    world: World, line: Line, begin: Callable[[World], Awaitable[Acting | InBrowser]]
) -> None:
    acting = await begin(world)
    before = await tables(world)
    answer = await ask(world, line, acting.client, acting.session_id)
    assert is_refused(line, answer), answer.text
    assert await tables(world) == before


@by_line(OPEN)
async def test_o63_what_acting_may_do_reads_or_ends_it_with_both_ids(world: World, line: Line) -> None:
    acting = await acting_as_ada(world)
    before, known = await tables(world), len(await events_of(world, acting.person))
    answer = await ask(world, line, acting.client, acting.session_id)
    assert answer.status_code in {200, 204, 303}
    if (line.method, line.path) not in MAY_END:
        assert await tables(world) == before
        return
    new = (await events_of(world, acting.person))[known:]
    assert [(event.account_id, event.actor_id) for event in new] == [(acting.person.id, acting.operator.account.id)]
    unchanged = {"events", "sessions", "revocations"}
    after = await tables(world)
    assert {name: rows for name, rows in after.items() if name not in unchanged} == {
        name: rows for name, rows in before.items() if name not in unchanged
    }


@by_line(OF_ANYBODY)
async def test_o63_where_no_caller_is_needed_acting_is_nobody(world: World, line: Line) -> None:
    """It opens no page that a signed-in owner would be led on from, and proves nothing to a mailed link."""
    acting = await acting_as_ada(world)
    nobody = await world.client("http://localhost:8000")
    answers = [await ask(world, line, client, acting.session_id) for client in (acting.client, nobody)]
    told = [(answer.status_code, answer.headers.get("location")) for answer in answers]
    assert told[0] == told[1]
