"""O77: an access token of an operator alone does nothing, on each line for operators."""

from datetime import timedelta

import pytest

from tests.harness.world import World
from tests.stories.operators.people import ONE_FACTOR, SignIn, operator_in
from tests.stories.operators.test_matrix import EVERY_LINE, ask
from vestibule.model.accounts import Role
from vestibule.web.map_lines import Line, Page

pytestmark = pytest.mark.any_engine
STALE = SignIn(ago=timedelta(minutes=15, seconds=1))


async def said(world: World, line: Line, sign_in: SignIn) -> str:
    """The code of the refusal, or where a page leads to; empty for a success."""
    admin = await operator_in(world, Role.ADMIN, sign_in)
    token = admin.client.headers.pop("Cookie").partition("access_token=")[2].partition(";")[0]
    admin.client.headers["Authorization"] = f"Bearer {token}"
    answer = await ask(line, admin.client, admin.form)
    if isinstance(line, Page):
        return str(answer.headers.get("location", "")).partition("?")[0]
    code = answer.json()["code"] if answer.is_error else ""
    return str(code)


@EVERY_LINE
async def test_o77_it_neither_reads_nor_changes_anything(world: World, line: Line) -> None:
    """O77: services have such tokens. No page takes it either."""
    refused = "/login" if isinstance(line, Page) else "refresh_token_required"
    assert [await said(world, line, how) for how in (SignIn(), STALE, SignIn(ONE_FACTOR))] == [refused] * 3
