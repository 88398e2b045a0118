"""A site whose views are cached by Django, and which finds out in many ways who is calling."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.decorators import method_decorator, sync_and_async_middleware
from django.views.decorators.cache import cache_control, cache_page
from django.views.decorators.vary import vary_on_headers

from tests.unit.client.django_site import (
    APIView,
    Response,
    api_view,
    authentication_classes,
    for_rest,
    permission_classes,
)
from vestibule.client.django import caller_of, signed_in, token_of, verifier
from vestibule.client.django.requests import known_caller

UPDATE, FETCH = (f"django.middleware.cache.{name}CacheMiddleware" for name in ("Update", "FetchFrom"))
ASKS_USER, ASKS_CALLER, ASKS_TOKEN = (f"{__name__}.asks_for_{name}" for name in ("user", "caller", "token"))
made: list[str] = []
"""For whom the views have made a page, in order."""

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
