"""A form is given the answer of another one only in the browser that sent that one; and never if it would miss what
happened in between.
"""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest

import vestibule.web.templates
from tests.harness.backends import Backend
from tests.harness.forms import csrf_in, once_in
from tests.harness.world import World
from tests.stories.factors.apps import ADA, PASSWORD, enrolled
from tests.stories.factors.codes import mailed_codes, verified
from tests.stories.required_factor import requiring
from tests.unit.web.people import ada, ada_again, session_of
from vestibule.model.letters import LetterKind
from vestibule.web.map_reading import PAGES
from vestibule.web.pages.sent_twice import HANDLED_EACH_TIME

pytestmark = pytest.mark.any_engine
TEMPLATES = Path(vestibule.web.templates.__path__[0])
SHOWN = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
SECRETS = ("access_token", "refresh_token", "second_factor", "email_code", "recovery_codes", "ceremony", "device_")
Form = tuple[str, dict[str, str]]
SIGN_IN: Form = ("/login", {"email": ADA, "password": PASSWORD})
SIGN_UP: Form = ("/register", {"name": "Bob", "email": "bob@example.com", "password": "correct horse bob"})


async def _sign_in(world: World) -> Form:
    await world.register()
    return SIGN_IN


async def _with_factor(world: World) -> Form:
    await enrolled(world)
    return SIGN_IN


async def _sign_up(_: World) -> Form:
    return SIGN_UP


async def _code(world: World) -> Form:
    await verified(world)
    return "/login/email-code", {"email": ADA}


async def _reset(world: World) -> Form:
    await world.register()
    await (await world.client()).post("/forgotpassword", data={"email": ADA})
    await world.deliver()
    return f"/resetpassword/{world.secret(LetterKind.RESET_PASSWORD)}", {"password": "battery staple horse"}


async def _take_over(world: World) -> Form:
    await world.register()
    return f"/verifyemail/{world.secret(LetterKind.VERIFY_EMAIL)}/mine", {}


FORMS = {
    "sign in": _sign_in,
    "sign in with a factor": _with_factor,
    "sign up": _sign_up,
    "ask for a code": _code,
    "reset": _reset,
    "take over": _take_over,
}
"""Every form that a browser without a cookie may send, and whose answer has a secret."""


def secrets_of(answer: httpx.Response) -> set[str]:
    """What the answer shows to nobody but its browser."""
    pairs = [line.partition(";")[0].partition("=") for line in answer.headers.get_list("set-cookie")]
    path = answer.headers.get("location", "")
    return {value for name, _, value in pairs if name.startswith(SECRETS) and value} | set(
        re.findall(r"[0-9a-f]{64}", path)
    )


async def sent(client: httpx.AsyncClient, form: Form, **more: str) -> httpx.Response:
    return await client.post(form[0], data={**form[1], **more}, headers=SHOWN)


@pytest.mark.parametrize("named", [True, False], ids=["each_from_its_page", "from_no_page"])
@pytest.mark.parametrize("form_of", FORMS.values(), ids=FORMS)
async def test_f53_two_browsers_share_no_secret(
    world: World, form_of: Callable[[World], Awaitable[Form]], named: bool
) -> None:
    """Two phones of the same make behind one router, whose owners know the same password, or read the same mail."""
    form = await form_of(world)
    found = []
    for _ in range(2):
        client = await world.client(None)
        page = await client.get(form[0].removesuffix("/mine"), headers=SHOWN)
        client.cookies.clear()
        more = {"once": once_in(page)} if named and 'name="once"' in page.text else {}
        found.append(secrets_of(await sent(client, form, **more)))
    assert found[0]
    assert not found[0] & found[1]


@pytest.mark.parametrize("form", [SIGN_IN, SIGN_UP], ids=["sign_in", "sign_up"])
async def test_f53_nor_a_sign_in_that_has_to_set_up_a_factor(backend: Backend, form: Form) -> None:
    async with requiring(backend) as world:
        first, second = [secrets_of(await sent(await world.client(None), form)) for _ in range(2)]
        assert first
        assert not first & second


async def test_f53_a_code_seen_over_a_shoulder_signs_in_nobody_else(world: World) -> None:
    _, app, _ = await enrolled(world)
    owner, thief = await world.client(None), await world.client(None)
    for client in (owner, thief):
        await sent(client, SIGN_IN)
    step = ("/login/second-step", {"code": app.next_code(), "by": "totp"})
    assert (await sent(owner, step)).headers["location"] == "/profile"
    assert not secrets_of(await sent(thief, step))
    assert (await thief.get("/api/users/me")).status_code == 401


async def test_f53_a_mailed_code_neither(world: World) -> None:
    await verified(world)
    owner, thief = await world.client(None), await world.client(None)
    for client in (owner, thief):
        await sent(client, ("/login/email-code", {"email": ADA}))
        await world.deliver()
    step = ("/login/email-code/enter", {"code": mailed_codes(world)[0]})
    assert (await sent(owner, step)).headers["location"] == "/profile"
    assert not secrets_of(await sent(thief, step))


def _forms() -> list[tuple[str, str]]:
    form = re.compile(r'<form [^>]*method="post".*?</form>', re.DOTALL)
    texts = [(path.name, path.read_text()) for path in sorted(TEMPLATES.glob("*.html"))]
    return [(name, found) for name, text in texts for found in form.findall(text)]


BY_COOKIE = ("/login/second-step", "/login/enrol", "/login/email-code/enter", "{{ action }}", "/language")
"""Forms of a browser that has a secret cookie by then: of a second step, a code, or a question to a passkey. A language
may be chosen twice.
"""


@pytest.mark.parametrize("form", [pytest.param(text, id=f"{name}-{n}") for n, (name, text) in enumerate(_forms())])
def test_each_form_tells_its_browser(form: str) -> None:
    """Of the session, of the page, or of the step of a sign-in."""
    by_cookie = any(f'action="{path}' in form for path in BY_COOKIE)
    assert by_cookie or re.search(r"signed\(\)|sent_once\(\)|form_token", form)


EACH_TIME = {
    "/admin/letters/retry",
    "/admin/people/{account_id}/sign-out",
    "/admin/roles/{name}/take",
    "/language",
    "/profile/name",
    "/profile/security/factor-reset",
    "/profile/security/passkeys/{passkey_id}",
    "/profile/security/sessions",
}
BY_OPERATORS = (
    "enable disable verify unlock send-verification send-reset reset-factors reset-factors-now keep-factors set-role "
    "set-roles "
    "set-email invite impersonate "
    "sessions/{session_id} delete"  # of one account
)
ONCE = {
    "/admin/people/{account_id}/export",
    "/admin/keys/rotate",
    "/admin/services/new",
    "/admin/services/{name}/revoke",
    *(f"/admin/people/{{account_id}}/{act}" for act in BY_OPERATORS.split()),
    "/admin/roles/new",
    "/admin/roles/{name}/permissions",
    "/admin/roles/{name}/delete",
    "/admin/create",
    "/admin/invite",
    "/invitation/{token}",
    "/impersonation/end",
    "/login",
    "/logout",
    "/login/passkey",
    "/login/second-step",
    "/login/second-step/passkey",
    "/reauthenticate",
    "/reauthenticate/passkey",
    "/login/enrol",
    "/login/enrol/new",
    "/login/enrol/passkey",
    "/login/second-step/lost",
    "/login/email-code",
    "/login/email-code/enter",
    "/register",
    "/verifyemail",
    "/forgotpassword",
    "/verifyemail/{code}",
    "/verifyemail/{code}/mine",
    "/resetpassword/{token}",
    "/confirmemail/{token}",
    "/undoemail/{token}",
    "/resetfactors/{token}",
    "/keepfactors/{token}",
    "/removefactor/{token}",
    "/profile/verification",
    "/profile/security/password",
    "/profile/security/email",
    "/profile/security/authenticator",
    "/profile/security/authenticator/new",
    "/profile/security/authenticator/remove",
    "/profile/security/recovery-codes",
    "/profile/security/recovery-codes/new",
    "/profile/security/passkeys",
    "/profile/security/passkeys/{passkey_id}/remove",
    "/profile/security/sessions/{session_id}",
    "/profile/delete",
}
"""Forms that use something up, or begin something: what they say is still true ten seconds later."""


def test_each_form_is_decided_about() -> None:
    """A new form belongs to one of the two: what would its second answer miss that happened in between?"""
    assert EACH_TIME == HANDLED_EACH_TIME
    assert {page.path for page in PAGES if page.method == "POST"} == EACH_TIME | ONCE
    assert not EACH_TIME & ONCE


async def test_a_second_sign_out_of_all_others_ends_what_was_opened_since(world: World) -> None:
    mine = await ada(world)
    form = ("/profile/security/sessions", {"csrf": csrf_in(await mine.get("/profile/name"))})
    for _ in range(2):
        other = await ada_again(world)
        assert await session_of(other)
        assert "notice=" in (await sent(mine, form)).headers["location"]
        assert (await other.get("/api/users/me")).status_code == 401


async def test_a_name_that_was_changed_elsewhere_meanwhile_is_changed_again(world: World) -> None:
    mine = await ada(world)
    form = ("/profile/name", {"csrf": csrf_in(await mine.get("/profile/name")), "name": "Augusta"})
    await sent(mine, form)
    assert (await mine.patch("/api/users/me", json={"name": "Ada"})).status_code == 200
    await sent(mine, form)
    assert "<bdi>Augusta</bdi>" in (await mine.get("/profile")).text
