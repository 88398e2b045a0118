"""Django's CSRF check beside the kit: a browser sends cookies for any site, and a Bearer token for none."""

from collections.abc import Iterator

import pytest
from django.test import override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from tests.unit.client.asking import Ask
from tests.unit.client.django_site import OURS, me, me_in_task, with_async_django, with_django
from vestibule.client.testing import SignedIn

CSRF, TOKEN = "django.middleware.csrf.CsrfViewMiddleware", "c" * 32
IN_BOTH_ORDERS = {"after Django's": [CSRF, OURS], "before Django's": [OURS, CSRF]}
OWN_SITE, ANOTHER_SITE = {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "cross-site"}
CSRF_TOKEN = {"X-CSRFToken": TOKEN}
urlpatterns = [
    path("guarded", me),
    path("task/guarded", me_in_task),
    path("exempt", csrf_exempt(me)),
    path("task/exempt", csrf_exempt(me_in_task)),
]


@pytest.fixture(params=IN_BOTH_ORDERS.values(), ids=IN_BOTH_ORDERS)
def in_both_orders(request: pytest.FixtureRequest) -> Iterator[None]:
    with override_settings(MIDDLEWARE=request.param):
        yield


@pytest.mark.usefixtures("in_both_orders")
@pytest.mark.parametrize(("make", "me"), [(with_django, "/me"), (with_async_django, "/task/me")], ids=["wsgi", "asgi"])
def test_k41_a_bearer_needs_no_csrf_token_and_a_cookie_does(make: type[Ask], me: str, vestibule: SignedIn) -> None:
    ask, token = make(), vestibule.token_for("ada")
    good, bad = {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer a.b.c"}
    cookie = {"Cookie": f"access_token={token}; csrftoken={TOKEN}"}
    for headers, status in (
        (good, 200),
        (good | cookie, 200),
        (cookie | OWN_SITE, 403),
        (cookie | OWN_SITE | CSRF_TOKEN, 200),
        (cookie | OWN_SITE | {"Authorization": "Basic YTpi"}, 403),
        (cookie | ANOTHER_SITE | CSRF_TOKEN, 403),
        (cookie | CSRF_TOKEN, 403),
        (bad, 401),
        (bad | cookie | OWN_SITE | CSRF_TOKEN, 401),
        ({"Cookie": f"csrftoken={TOKEN}"}, 403),
        ({"Authorization": "Basic YTpi"}, 403),
    ):
        assert ask(me, method="POST", headers=headers).status_code == status, headers
    assert ask(me, headers=cookie).status_code == 200


@pytest.mark.parametrize(("make", "place"), [(with_django, ""), (with_async_django, "/task")], ids=["wsgi", "asgi"])
def test_k41_a_guard_alone_leaves_the_csrf_check_to_django_and_an_exempt_view_to_the_kit(
    make: type[Ask], place: str, vestibule: SignedIn
) -> None:
    """Django decides before the guard does."""
    token = vestibule.token_for("ada")
    bearer, cookie = vestibule.headers(token), {"Cookie": f"access_token={token}; csrftoken={TOKEN}"}
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[CSRF]):
        ask = make()
        for headers, guarded, exempt in (
            (bearer, 403, 200),
            (bearer | CSRF_TOKEN | {"Cookie": f"csrftoken={TOKEN}"}, 200, 200),
            (cookie | OWN_SITE, 403, 200),
            (cookie | OWN_SITE | CSRF_TOKEN, 200, 200),
            (cookie | ANOTHER_SITE | CSRF_TOKEN, 403, 403),
            (cookie, 403, 403),
            ({"Authorization": "Bearer a.b.c"}, 403, 401),
            ({}, 403, 401),
        ):
            assert ask(f"{place}/guarded", method="POST", headers=headers).status_code == guarded, headers
            assert ask(f"{place}/exempt", method="POST", headers=headers).status_code == exempt, headers
