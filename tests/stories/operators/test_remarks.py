"""Why a password was not accepted and why a session ended, on the console, in the operator's language."""

from tests.harness.world import World
from tests.stories.operators.people import operator_in
from tests.stories.operators.test_person_page import ADA, ada_of
from tests.stories.operators.test_search_page import AT, shown
from vestibule.flows.administer import disable_account
from vestibule.model.accounts import Role
from vestibule.model.events import EventKind
from vestibule.model.operators import COMMAND_LINE
from vestibule.model.refused_sign_ins import WhyRefused
from vestibule.model.sessions import EndReason
from vestibule.web.console.remark_words import REMARKS

SAID = {
    "en": (
        "Password not accepted · wrong password",
        "Device signed out · account disabled",
        "Account disabled · left <us>",
    ),
    "de": ("Passwort nicht akzeptiert · falsches Passwort", "Gerät abgemeldet · Konto deaktiviert", " · left <us>"),
}


def test_every_reason_of_ours_has_its_words() -> None:
    assert set(REMARKS[EventKind.SIGN_IN_REFUSED]) == {why.value for why in WhyRefused}
    assert set(REMARKS[EventKind.SESSION_ENDED]) == {why.value for why in EndReason}


async def test_reasons_of_ours_are_translated_and_those_of_operators_are_not(world: World) -> None:
    await world.register()
    client = await world.sign_in()
    assert (await client.post("/api/auth/login", json={"email": ADA, "password": "wrong horse"})).status_code == 400
    ada, auditor = await ada_of(world), await operator_in(world, Role.AUDITOR)
    await disable_account(world.env, COMMAND_LINE, ada, "left <us>")
    for language, sentences in SAID.items():
        for at in (f"{AT}/{ada.id}", f"/admin/events?person={ada.id}"):
            page = shown((await auditor.client.get(at, headers={"accept-language": language})).text)
            assert [sentence for sentence in sentences if sentence not in page] == [], (at, page)
