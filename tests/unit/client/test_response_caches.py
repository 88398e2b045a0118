"""Django's and Litestar's own response caches before a service: everybody has their own page, and nobody none."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from django.views.decorators.cache import cache_page
from litestar import Litestar, Request, get

from tests.unit.client.asking import AUTH, Ask, on_asgi
from tests.unit.client.django_site import (
    OURS,
    Response,
    api_view,
    for_rest,
    permission_classes,
    with_async_django,
    with_django,
)
from vestibule.client import Verifier
from vestibule.client.django import caller_of, signed_in, with_role
from vestibule.client.litestar import VestibulePlugin, middleware
from vestibule.client.litestar import with_role as guard
from vestibule.client.testing import SignedIn

UPDATE, FETCH = (f"django.middleware.cache.{name}CacheMiddleware" for name in ("Update", "FetchFrom"))
made: list[str] = []


def page_of(request: Any) -> HttpResponse:
    made.append(str(request.user))
    return HttpResponse(str(request.user))


async def page_of_task(request: HttpRequest) -> HttpResponse:
    made.append("task")
    return HttpResponse(str(await request.auser()))


@signed_in
async def guarded_task(request: HttpRequest) -> HttpResponse:
    return HttpResponse(caller_of(request).id)


@api_view(["GET"])
@permission_classes([])
def rest_page(request: Any) -> Response:
    return Response(str(request.user))


@api_view(["GET"])
def rest_guarded(request: Any) -> Response:
    return Response(for_rest.caller_of(request).id)


def public(_request: HttpRequest) -> HttpResponse:
    made.append("public")
    return HttpResponse("public")


PAGES: dict[str, Any] = {
    "user": page_of,
    "guard": signed_in(page_of),
    "role": with_role("user")(page_of),
    "task-user": page_of_task,
    "task-guard": guarded_task,
    "rest-user": rest_page,
    "rest-guard": rest_guarded,
}
urlpatterns = [path(f"whole/{name}", view) for name, view in PAGES.items()]
urlpatterns += [path(f"one/{name}", cache_page(60)(view)) for name, view in PAGES.items()]
urlpatterns += [path("one/public", cache_page(60)(public))]
STACKS = {
    "the whole site": [UPDATE, OURS, FETCH],
    "the whole site, inside": [OURS, UPDATE, FETCH],
    "one page": [OURS],
}
on_both = pytest.mark.parametrize("service", [with_django, with_async_django])


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    cache.clear()
    made.clear()


def credentials(vestibule: SignedIn, how: str, user: str) -> dict[str, str]:
    token = vestibule.token_for(user)
    return vestibule.headers(token) if how == "bearer" else {"Cookie": f"access_token={token}"}


@on_both
@pytest.mark.parametrize("how", ["bearer", "cookie"])
@pytest.mark.parametrize("stack", STACKS.values(), ids=STACKS)
@pytest.mark.parametrize("where", [f"{place}/{name}" for place in ("whole", "one") for name in PAGES])
def test_k42_djangos_caches_give_nobody_the_page_of_another(
    where: str, stack: list[str], how: str, service: Callable[[], Ask], vestibule: SignedIn
) -> None:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=stack):
        ask = service()
        for user in ("ada", "bob", "ada"):
            answer = ask(f"/{where}", headers=credentials(vestibule, how, user))
            assert (answer.status_code, answer.text.strip('"')) == (200, user)
        nobody = ask(f"/{where}")
        assert "ada" not in nobody.text
        assert nobody.status_code == (200 if "user" in where else 401)
        assert ask(f"/{where}", headers=credentials(vestibule, how, "eve")).text.strip('"') == "eve"


@pytest.mark.parametrize("where", ["one/rest-user", "one/guard", "whole/rest-guard"])
def test_k42_what_is_cached_is_not_for_who_signed_out(where: str, vestibule: SignedIn) -> None:
    """A page around the check: REST framework checks inside of the view."""
    token = vestibule.token_for("ada")
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[] if "rest" in where else [OURS]):
        ask = with_django()
        assert ask(f"/{where}", headers=vestibule.headers(token)).status_code == 200
        vestibule.revoke(token)
        assert ask(f"/{where}", headers=vestibule.headers(token)).status_code == 401


def test_djangos_caches_keep_what_is_the_same_for_all_and_each_their_own(vestibule: SignedIn) -> None:
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[UPDATE, OURS, FETCH]):
        ask, headers = with_django(), credentials(vestibule, "cookie", "ada")
        for _ in range(2):
            assert ask("/whole/guard", headers=headers).text == "ada"
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[OURS]):
        for sent in ({}, headers):
            assert with_django()("/one/public", headers=sent).text == "public"
    assert made == ["ada", "public"]


@pytest.mark.parametrize("with_plugin", [True, False], ids=["plugin", "middleware"])
def test_k42_litestars_cache_keeps_a_page_for_each_token(with_plugin: bool, vestibule: SignedIn) -> None:
    @get("/user", cache=60)
    async def user(request: Request[Any, Any, Any]) -> str:
        made.append(request.user.id)
        return str(request.user.id)

    @get("/keyed", cache=True, cache_key_builder=lambda _: "one for all", guards=[guard("user")])
    async def keyed(request: Request[Any, Any, Any]) -> str:
        return str(request.user.id)

    @get("/open", cache=60, exclude_from_auth=True)
    async def for_all() -> str:
        made.append("public")
        return "public"

    handlers, verifier = [user, keyed, for_all], Verifier(**AUTH)
    with_it = {"plugins": [VestibulePlugin(verifier)]} if with_plugin else {"middleware": [middleware(verifier)]}
    ask = on_asgi(Litestar(handlers, openapi_config=None, **with_it))  # type: ignore[arg-type]
    tokens = {name: vestibule.token_for(name) for name in ("ada", "bob")}
    for where in ("/user", "/keyed"):
        for name in ("ada", "bob", "ada"):
            assert ask(where, headers=vestibule.headers(tokens[name])).text == name
        assert ask(where).status_code == 401
    for headers in (vestibule.headers(tokens["ada"]), {}):
        assert ask("/open", headers=headers).text == "public"
    assert made == ["ada", "bob", "public"]
    vestibule.revoke(tokens["ada"])
    assert ask("/user", headers=vestibule.headers(tokens["ada"])).status_code == 401
