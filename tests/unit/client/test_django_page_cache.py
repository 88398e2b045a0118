"""Django's page cache, wherever it stands and whatever asks who is calling: everybody has a page of their own."""

from collections.abc import AsyncIterator, Callable, Iterator
from itertools import product
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.middleware.cache import FetchFromCacheMiddleware
from django.template import engines
from django.template.response import TemplateResponse
from django.test import override_settings
from django.urls import path
from django.utils.decorators import method_decorator, sync_and_async_middleware
from django.views.decorators.cache import cache_control, cache_page
from django.views.decorators.vary import vary_on_headers

from tests.unit.client.asking import Ask
from tests.unit.client.django_site import (
    DJANGOS,
    OURS,
    SESSIONS,
    APIView,
    Response,
    api_view,
    authentication_classes,
    for_rest,
    permission_classes,
    with_async_django,
    with_django,
)
from vestibule.client.django import caller_of, signed_in, token_of, verifier
from vestibule.client.django.requests import known_caller
from vestibule.client.testing import SignedIn

UPDATE, FETCH = (f"django.middleware.cache.{name}CacheMiddleware" for name in ("Update", "FetchFrom"))
ASKS_USER, ASKS_CALLER, ASKS_TOKEN = (f"{__name__}.asks_for_{name}" for name in ("user", "caller", "token"))
made: list[str] = []
cached = cache_page(60)


def asking(name_of: Callable[[Any], str]) -> Any:
    """A project's own middleware, which finds out who is calling before any view does."""

    @sync_and_async_middleware
    def middleware(get_response: Callable[[Any], Any]) -> Any:
        async def in_task(request: Any) -> Any:
            request.greeted = name_of(request)
            return await get_response(request)

        def in_thread(request: Any) -> Any:
            request.greeted = name_of(request)
            return get_response(request)

        return in_task if iscoroutinefunction(get_response) else in_thread

    return middleware


def by_caller(request: Any) -> str:
    caller = known_caller(request)
    return caller.id if caller else "nobody"


def by_token(request: Any) -> str:
    return verifier().check(token_of(request)).id if by_caller(request) != "nobody" else "nobody"


asks_for_user = asking(lambda request: str(request.user))
asks_for_caller = asking(by_caller)
asks_for_token = asking(by_token)


def unnoticed(request: Any) -> str:
    """Who is calling, found without asking the kit; or by the middleware above."""
    caller = getattr(request, "vestibule_caller", None)
    return str(getattr(request, "greeted", caller.id if caller else "nobody"))


def named(_request: HttpRequest, name: str) -> HttpResponse:
    made.append(name)
    return HttpResponse(name)


async def named_in_task(request: HttpRequest, name: str) -> HttpResponse:
    return named(request, name)


def passing_in(view: Callable[[Any, str], Any]) -> Callable[[Any], Any]:
    """A decorator around the cache, that hands the caller's name to the view."""

    async def in_task(request: Any) -> Any:
        return await view(request, str(await request.auser()))

    return in_task if iscoroutinefunction(view) else lambda request: view(request, str(request.user))


def shown(request: Any) -> HttpResponse:
    return named(request, unnoticed(request))


async def shown_in_task(request: Any) -> HttpResponse:
    return shown(request)


def asked(request: Any) -> HttpResponse:
    return named(request, str(request.user))


async def asked_in_task(request: Any) -> HttpResponse:
    return named(request, str(await request.auser()))


def guarded(request: HttpRequest) -> HttpResponse:
    return named(request, caller_of(request).id)


async def guarded_in_task(request: HttpRequest) -> HttpResponse:
    return guarded(request)


def rendered(request: HttpRequest) -> TemplateResponse:
    return TemplateResponse(request, engines["django"].from_string("{{ user }}"))  # type: ignore[arg-type]


def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def pieces() -> Iterator[str]:
        yield str(request.user)

    async def pieces_in_task() -> AsyncIterator[str]:
        yield str(request.user)

    return StreamingHttpResponse(pieces_in_task() if hasattr(request, "scope") else pieces())


@api_view(["GET"])
@permission_classes([])
def rest(request: Any) -> Response:
    return Response(str(request.user))


class RestMethod(APIView):
    permission_classes = ()

    @method_decorator(cached)
    def get(self, request: Any) -> Any:
        return Response(str(request.user))


class RestMethodOfDjango(RestMethod):
    @method_decorator(cached)
    def get(self, request: Any) -> Any:
        return named(request, str(request.user))


@api_view(["GET"])
@authentication_classes([])
@permission_classes([])
@cached
@signed_in
def rest_guarded(request: Any) -> Response:
    return Response(caller_of(request).id)


class RestGuardedMethod(APIView):
    authentication_classes = ()
    permission_classes = ()

    @method_decorator(cached)
    @method_decorator(signed_in)
    def get(self, request: Any) -> Any:
        return Response(caller_of(request).id)


class RestMethodThatAsks(RestGuardedMethod):
    @method_decorator(cached)
    @method_decorator(vary_on_headers("Authorization", "Cookie"))
    def get(self, request: Any) -> Any:
        return Response(for_rest.caller_of(request).id)


IN_CACHE: dict[str, Any] = {
    "shown": shown,
    "asked": asked,
    "guarded": signed_in(guarded),
    "rendered": rendered,
    "streamed": streamed,
    "task-shown": shown_in_task,
    "task-asked": asked_in_task,
    "task-guarded": signed_in(guarded_in_task),
    "rest": rest,
}
VIEWS: dict[str, Any] = {f"page/{name}": cached(view) for name, view in IN_CACHE.items()}
VIEWS |= {f"site/{name}": view for name, view in IN_CACHE.items()}
VIEWS |= {
    "page/passed-in": passing_in(cached(named)),
    "page/guard-outside": signed_in(cached(shown)),
    "page/guard-outside-passed-in": signed_in(passing_in(cached(named))),
    "page/task-passed-in": passing_in(cached(named_in_task)),
    "page/task-guard-outside": signed_in(cached(shown_in_task)),
    "page/rest-method": RestMethod.as_view(),
    "page/rest-method-of-django": RestMethodOfDjango.as_view(),
    "page/rest-guarded": rest_guarded,
    "page/rest-guarded-method": RestGuardedMethod.as_view(),
    "page/rest-guarded-by-asking": RestMethodThatAsks.as_view(),
}


def public(request: HttpRequest) -> HttpResponse:
    return named(request, "public")


urlpatterns = [path(name, view) for name, view in VIEWS.items()]
urlpatterns += [
    path("public", cached(public)),
    path("declared", cached(cache_control(public=True)(public))),
    path("varied", cached(vary_on_headers("Authorization", "Cookie")(guarded))),
]

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
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=order):
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
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=order):
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
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[UPDATE, FETCH]):
        assert with_django()("/site/guarded", headers=vestibule.headers(token)).text == "ada"
        vestibule.revoke(token)
        assert with_django()("/site/guarded", headers=vestibule.headers(token)).status_code == 401
