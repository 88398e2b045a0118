"""With `VESTIBULE_SUPPORT`, pages and letters name where people get help; without, they name nobody."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.harness import applications
from tests.harness.backends import Backend
from tests.harness.clock import ManualClock
from tests.harness.mailer import BRAND
from tests.harness.world import World, world_on
from tests.unit.mail import SENDER, a_letter
from tests.unit.mail.test_letters import arrived, part
from tests.unit.web.test_second_step_page import ada_with_app, at_second_step
from vestibule.mail.letters import Renderer
from vestibule.model.brand import Brand
from vestibule.model.languages import LANGUAGES
from vestibule.model.letters import LetterKind
from vestibule.web.pages.template_loader import Templates

pytestmark = pytest.mark.any_engine
SUPPORT = {"help@example.com": "mailto:help@example.com", "https://example.com/help": "https://example.com/help"}
NOBODY = ("/login", "/signedout?reason=account_disabled", "/checkemail", "/no/such/page", f"/undoemail/{'0' * 64}")
LOST = "/login/second-step/lost"


@pytest.fixture(params=SUPPORT)
async def helped(
    request: pytest.FixtureRequest, backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """A Vestibule that names where people get help."""
    brand = replace(BRAND, support=request.param)
    monkeypatch.setattr(applications, "_templates_in", lambda language: Templates(brand, language))
    async with world_on(backend) as made:
        yield made


def named_in(page: str) -> int:
    return sum(page.count(f'href="{at}"') for at in SUPPORT.values())


@pytest.mark.parametrize("path", NOBODY)
async def test_every_page_names_it_once(helped: World, path: str) -> None:
    client = await helped.client(None)
    assert named_in((await client.get(path, headers={"Accept": "text/html"})).text) == 1


async def test_who_lost_every_factor_is_told_whom_to_ask(helped: World) -> None:
    await ada_with_app(helped)
    page = (await (await at_second_step(helped)).get(LOST)).text
    told, _, rest = page.partition("Ask them to reset your two-factor authentication.")
    assert (named_in(told), named_in(rest.partition("</div>")[0]), named_in(rest)) == (0, 1, 1)


async def test_without_the_setting_nobody_is_named(world: World) -> None:
    await ada_with_app(world)
    client = await at_second_step(world)
    for path in (*NOBODY, LOST):
        page = (await client.get(path, headers={"Accept": "text/html"})).text
        assert "Need help?" not in page
        assert "mailto:" not in page


@pytest.mark.parametrize("support", SUPPORT)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", LetterKind)
def test_every_letter_names_it(kind: LetterKind, language: str, support: str) -> None:
    letter = a_letter(kind, language=language)
    message = arrived(letter, Renderer(SENDER, Brand("Acme", support=support), ManualClock()))
    assert named_in(part(message, "html")) == 1
    assert support in part(message, "plain")
    nobody = arrived(letter, Renderer(SENDER, Brand("Acme"), ManualClock()))
    assert part(nobody, "plain").splitlines()[-1].strip().endswith("Acme.") or language != "en"
