"""The search of the console and of its API: who is found, in pages, and what is said if nobody is."""

import re
from dataclasses import replace
from html import unescape

import pytest

from tests.harness.world import World
from tests.stories.operators.people import Browser, operator_in
from vestibule.crypto.entropy import new_id
from vestibule.flows.find_people import PEOPLE_AT_ONCE
from vestibule.model.accounts import Account, Role

AT, API = "/admin/people", "/api/admin/people"
MARKUP = re.compile(r"<[^>]*>")


def shown(html: str) -> str:
    """What a page says, without its markup."""
    return " ".join(unescape(MARKUP.sub("", html.partition("<main")[2].partition("</main>")[0])).split())


async def add(world: World, email: str, name: str = "Ada Lovelace", **other: object) -> Account:
    """An account that is simply there."""
    now = world.clock.now()
    account = Account(new_id(), name, email, Role.USER, verified=True, created_at=now, updated_at=now)
    account = replace(account, **other)  # type: ignore[arg-type]
    async with world.env.store.transaction() as tx:
        assert await tx.accounts.add(account)
    return account


async def search(browser: Browser, text: str) -> str:
    return shown((await browser.client.get(AT, params={"search": text})).text)


async def test_people_are_found_by_email_by_name_and_by_id(world: World) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    ada = await add(world, "ada@example.com")
    await add(world, "grace@example.com", "Grace Hopper", verified=False)
    await add(world, "mallory@example.com", "Mallory", disabled_at=world.clock.now())
    for text in ("ada@", " ADA@example.com ", "ada l", ada.id):
        page = await search(auditor, text)
        assert "ada@example.com Ada Lovelace" in page, text
        assert "grace@" not in page, text
    assert "grace@example.com Grace Hopper not confirmed yet" in await search(auditor, "grace")
    assert "mallory@example.com Mallory disabled" in await search(auditor, "mall")
    everybody = await search(auditor, "")
    assert [email in everybody for email in ("ada@example.com", "grace@example.com")] == [True, True]


async def test_next_leads_through_all_pages_and_ends(world: World) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    emails = [f"p{number:03}@people.example" for number in range(2 * PEOPLE_AT_ONCE + 1)]
    for email in emails:
        await add(world, email, "Somebody")
    found, at = [], f"{AT}?search=p0"
    for _ in range(5):
        page = (await auditor.client.get(at)).text
        found += re.findall(r"p\d{3}@people\.example", shown(page))
        onward = re.search(r'rel="next" href="([^"]+)"', page)
        if onward is None:
            break
        at = unescape(onward[1])
    assert found == [email for email in emails if email.startswith("p0")]


async def test_nobody_is_said_in_a_sentence(world: World) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    assert "Nobody's email address or name begins with “nobody@”" in await search(auditor, "nobody@")


@pytest.mark.parametrize("cursor", ["x", "W10=", "WyJlbWFpbCIsIDEsIDJd", "%00", "A" * 3000])
async def test_a_cursor_that_is_none_is_refused(world: World, cursor: str) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    answer = await auditor.client.get(f"{AT}?search=a&after={cursor}")
    assert answer.status_code == 400
    assert "could not be read" in answer.text
    answer = await auditor.client.get(f"{API}?search=a&after={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_the_api_lists_the_same_people(world: World) -> None:
    auditor = await operator_in(world, Role.AUDITOR)
    ada = await add(world, "ada@example.com", disabled_at=world.clock.now())
    for number in range(PEOPLE_AT_ONCE):
        await add(world, f"b{number:02}@example.com")
    first = (await auditor.client.get(API)).json()["data"]
    assert len(first["people"]) == PEOPLE_AT_ONCE
    rest = (await auditor.client.get(API, params={"after": first["next"]})).json()["data"]
    assert rest["next"] is None
    everybody = [person["email"] for person in (*first["people"], *rest["people"])]
    assert everybody == sorted({ada.email, auditor.account.email, *(f"b{n:02}@example.com" for n in range(50))})
    (found,) = (await auditor.client.get(API, params={"search": "ada@"})).json()["data"]["people"]
    assert (found["id"], found["role"], found["verified"]) == (ada.id, "user", True)
    assert found["disabled_at"] == found["created_at"]


async def test_the_overview_leads_to_the_search(world: World) -> None:
    helper = await operator_in(world, Role.HELPER)
    page = (await helper.client.get("/admin")).text
    assert f'action="{AT}"' in page
    assert 'name="search"' in page


async def test_who_mistyped_their_email_is_found_by_the_right_one_which_stands_in_the_form(world: World) -> None:
    admin, helper = await operator_in(world, Role.ADMIN), await operator_in(world, Role.HELPER)
    typo = await add(world, "grace@exmaple.com", "Grace Hopper", verified=False)
    other = await add(world, "linus@example.com", "Linus", verified=False)
    asks = f"{AT}/{typo.id}/set-email?to=grace%40example.com"
    page = (await admin.client.get(AT, params={"search": "grace@example.com"})).text
    assert "there is grace@exmaple.com, never confirmed" in shown(page)
    assert f'href="{AT}/{typo.id}"' in page
    assert f'href="{asks}"' in unescape(page)
    assert 'type="email" value="grace@example.com"' in (await admin.client.get(asks)).text
    page = (await helper.client.get(AT, params={"search": "grace@example.com"})).text
    assert "never confirmed" in shown(page)
    assert "set-email" not in page
    for elsewhere in (f"{AT}/{other.id}/set-email?to=grace@example.com", f"{AT}/{typo.id}/set-email?to=m@evil.example"):
        assert 'type="email" value=""' in (await admin.client.get(elsewhere)).text
