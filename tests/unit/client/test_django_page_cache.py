"""Django's page cache, wherever it stands and whatever asks who is calling: everybody has a page of their own."""

from collections.abc import Callable
from itertools import product

import pytest
from django.core.cache import cache
from django.middleware.cache import FetchFromCacheMiddleware
from django.test import override_settings

from tests.unit.client import django_cached_site
from tests.unit.client.asking import Ask
from tests.unit.client.django_cached_site import ASKS_CALLER, ASKS_TOKEN, ASKS_USER, FETCH, UPDATE, VIEWS, made
from tests.unit.client.django_site import DJANGOS, OURS, SESSIONS, with_async_django, with_django
from vestibule.client.testing import SignedIn

SITE = django_cached_site.__name__
ORDERS: dict[str, list[str]] = {
    "the kit": [OURS],
    "asks for the user": [OURS, ASKS_USER],
    "asks for the caller": [OURS, ASKS_CALLER],
    "asks for the token": [OURS, ASKS_TOKEN],
    "below Django's own": [SESSIONS, DJANGOS, OURS, ASKS_USER],
    "above Django's own": [OURS, SESSIONS, DJANGOS, ASKS_CALLER],
    "between, asks within": [UPDATE, OURS, FETCH, ASKS_USER],
    "between, asks before": [UPDATE, OURS, ASKS_USER, FETCH],
    "outside": [OURS, ASKS_USER, UPDATE, FETCH],
    "outside, asks between": [OURS, UPDATE, ASKS_USER, FETCH],
    "outside, asks within": [OURS, UPDATE, FETCH, ASKS_USER],
    "within": [UPDATE, FETCH, OURS, ASKS_USER],
    "within, nothing asks": [UPDATE, FETCH, OURS],
    "upside down": [FETCH, OURS, ASKS_USER, UPDATE],
    "upside down, outside": [OURS, ASKS_USER, FETCH, UPDATE],
    "none": [],
    "none, the whole site": [UPDATE, FETCH],
}
PLACES = [
    pytest.param(order, name, id=f"{title}-{name}")
    for (title, order), name in product(ORDERS.items(), VIEWS)
    if OURS in order or "rest" in name
]


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()
    made.clear()


def credentials(token: str, how: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if how == "bearer" else {"Cookie": f"access_token={token}"}


@pytest.mark.parametrize("service", [with_django, with_async_django])
@pytest.mark.parametrize("how", ["bearer", "cookie"])
@pytest.mark.parametrize(("order", "name"), PLACES)
def test_k42_wherever_the_cache_stands_everybody_has_a_page_of_their_own(
    order: list[str], name: str, how: str, service: Callable[[], Ask], vestibule: SignedIn
) -> None:
    tokens = {user: vestibule.token_for(user) for user in ("ada", "bob")}
    with override_settings(ROOT_URLCONF=SITE, MIDDLEWARE=order):
        ask = service()
        # What nothing has asked for is a stranger's page, and everybody's.
        unasked = order == [OURS] and name.startswith("page/") and name.endswith("shown")
        for user in ("ada", "bob", "ada") if unasked else ("nobody", "ada", "bob", "nobody", "ada"):
            answer = ask(f"/{name}", headers=credentials(tokens[user], how) if user in tokens else {})
            if user in tokens:
                assert (answer.status_code, answer.text.strip('"')) == (200, user)
            else:
                assert answer.status_code == (401 if "guard" in name else 200)
                assert not {"ada", "bob"} & {answer.text.strip('"')}
        vestibule.revoke(tokens["ada"])
        assert ask(f"/{name}", headers=credentials(tokens["ada"], how)).status_code == 401
        assert ask(f"/{name}", headers=credentials(tokens["bob"], how)).text.strip('"') == "bob"


def asked_by(users: str, name: str, order: list[str], vestibule: SignedIn) -> list[str]:
    """Return for whom the page was made, while each of `users` asked for it in turn."""
    tokens = {user: vestibule.headers(vestibule.token_for(user)) for user in ("ada", "bob")}
    with override_settings(ROOT_URLCONF=SITE, MIDDLEWARE=order):
        ask = with_django()
        for user in users.split():
            assert ask(f"/{name}", headers=tokens.get(user, {})).status_code == 200
    return made


@pytest.mark.parametrize(
    ("users", "name", "order", "made_for"),
    [
        ("ada ada bob ada", "site/guarded", [UPDATE, OURS, FETCH], ["ada", "bob"]),
        ("ada ada bob ada", "varied", [OURS], ["ada", "bob"]),
        ("ada bob nobody", "declared", [OURS], ["public"]),
        ("nobody ada bob", "public", [OURS], ["public"]),
        ("ada nobody nobody", "public", [OURS], ["public", "public"]),
        ("ada bob", "declared", [OURS, ASKS_USER], ["public", "public"]),
        ("ada ada", "varied", [UPDATE, FETCH, OURS], ["ada", "ada"]),
    ],
)
def test_k42_a_page_is_stored_only_where_no_other_is_given_it(
    users: str, name: str, order: list[str], made_for: list[str], vestibule: SignedIn
) -> None:
    assert asked_by(users, name, order, vestibule) == made_for


def test_k42_a_first_request_that_was_looked_up_before_the_kit_was_imported_is_not_stored(
    vestibule: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the kit's middleware, Django imports the kit with the views, once a request is on its way."""
    djangos_own = FetchFromCacheMiddleware.process_request.__wrapped__  # type: ignore[attr-defined]
    monkeypatch.setattr(FetchFromCacheMiddleware, "process_request", djangos_own)
    token = vestibule.token_for("ada")
    with override_settings(ROOT_URLCONF=SITE, MIDDLEWARE=[UPDATE, FETCH]):
        assert with_django()("/site/guarded", headers=vestibule.headers(token)).text == "ada"
        vestibule.revoke(token)
        assert with_django()("/site/guarded", headers=vestibule.headers(token)).status_code == 401
