"""B5: a script of a front-end reads answers of the API. It reads no page: a page has the hidden field that ties its
forms to the session, and the console is made of forms. Nor does it call the operators' API.
"""

import re

import httpx

from tests.harness.world import FRONT_END, World
from tests.stories.operators.people import operator_in
from vestibule.crypto.entropy import new_id
from vestibule.model.accounts import Role
from vestibule.web.map_lines import Line, Page
from vestibule.web.map_reading import PAGES, ROUTES

ALLOW, HTML = "access-control-allow-origin", {"Accept": "text/html"}
FOLLOWED = "/api/revocations"  # an answer without an end
LINES: list[Line] = [line for line in (*PAGES, *ROUTES) if line.path != FOLLOWED]


async def script(world: World) -> httpx.AsyncClient:
    """What a script of a listed front-end sends, in the browser of an admin."""
    browser = (await operator_in(world, Role.ADMIN)).client
    browser.headers["Origin"] = FRONT_END
    return browser


async def test_b5_a_front_end_reads_the_api_and_no_page(world: World) -> None:
    """B5: every line of the URL map, answered or refused, asked for as a page and as JSON."""
    front_end, wrong = await script(world), {}
    for line in LINES:
        path = re.sub("{.*?}", new_id(), line.path)
        for headers in ({}, HTML):
            answer = await front_end.request(line.method, path, headers=headers)
            is_page = isinstance(line, Page) or answer.headers.get("content-type", "").startswith("text/html")
            if answer.headers.get(ALLOW) != (None if is_page or line.permission else FRONT_END):
                wrong[f"{line.method} {line.path} {headers}"] = answer.status_code
    assert wrong == {}


async def test_b5_by_head_a_front_end_learns_whether_a_mailed_link_works(world: World) -> None:
    """B5: without a body, there is no hidden field to read. Of the console it learns nothing."""
    front_end = await script(world)
    for path in ("/verifyemail/code", "/resetpassword/token"):
        answer = await front_end.head(path)
        assert (answer.status_code, answer.content, answer.headers[ALLOW]) == (403, b"", FRONT_END)
    for path in ("/admin", "/admin/people"):
        assert ALLOW not in (await front_end.head(path)).headers


async def test_b5_nor_does_a_front_end_act_as_an_operator(world: World) -> None:
    """B5: a request without a preflight needs no CORS to be carried out, so it is refused. Nor is there a preflight."""
    front_end, operators = await script(world), [line for line in ROUTES if line.permission]
    asked = {"Access-Control-Request-Method": "POST"}
    for line in operators:
        path = re.sub("{.*?}", new_id(), line.path)
        answer = await front_end.request(line.method, path)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site"), line
        assert ALLOW not in (await front_end.options(path, headers=asked)).headers
    assert operators
    assert (await front_end.get("/api/admin/me", headers={"Origin": str(front_end.base_url)})).status_code == 200


async def test_b5_nor_the_page_of_what_is_not_there(world: World) -> None:
    """B5: it has the form that signs out; told as JSON, it may be read."""
    front_end = await script(world)
    assert (await front_end.get("/nowhere")).headers[ALLOW] == FRONT_END
    assert ALLOW not in (await front_end.get("/nowhere", headers=HTML)).headers
