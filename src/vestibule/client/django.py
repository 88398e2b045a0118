"""Django: a middleware that makes `request.user` the caller.

    VESTIBULE = {"url": "https://auth.example.com", "service_key": "vsk_…"}
    MIDDLEWARE = [..., "vestibule.client.django.VestibuleMiddleware"]

    @signed_in
    def orders(request): return JsonResponse({"mine": request.user.id})

Other members of `VESTIBULE` are arguments of `Verifier`. No model and no table is needed.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import cache, wraps
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from vestibule.client.caller import Caller
from vestibule.client.credentials import token_in
from vestibule.client.errors import CallerRefusedError, NoTokenError
from vestibule.client.verifier import Verifier
from vestibule.client.wsgi import raw_headers


class _WithoutPermissions:
    """The methods that Django calls on every user; they grant no permissions. Django stores permissions in its own
    tables, which have no row for the caller. Use `role` instead.
    """

    is_staff = False
    is_superuser = False
    username: str

    def get_username(self) -> str:
        """Return the account id, which Django shows in logs; empty for `Nobody`."""
        return self.username

    def get_full_name(self) -> str:
        """Return the account id: a token has no name."""
        return self.username

    def get_short_name(self) -> str:
        """Return the account id: a token has no name."""
        return self.username

    def has_usable_password(self) -> bool:
        """Return False: passwords are kept by Vestibule."""
        return False

    def get_user_permissions(self, _about: object = None) -> set[str]:
        """Return no permissions."""
        return set()

    def get_group_permissions(self, _about: object = None) -> set[str]:
        """Return no permissions."""
        return set()

    def get_all_permissions(self, _about: object = None) -> set[str]:
        """Return no permissions."""
        return set()

    def has_perm(self, _permission: str, _about: object = None) -> bool:
        """Return False."""
        return False

    def has_perms(self, permissions: Iterable[str], _about: object = None) -> bool:
        """Return True only if no permission is asked for."""
        return not list(permissions)

    def has_module_perms(self, _label: str) -> bool:
        """Return False."""
        return False

    async def aget_user_permissions(self, _about: object = None) -> set[str]:
        """Return no permissions, to async views; so do the methods below."""
        return set()

    aget_group_permissions = aget_all_permissions = aget_user_permissions

    async def ahas_perm(self, permission: str, about: object = None) -> bool:
        """Return False."""
        return self.has_perm(permission, about)

    async def ahas_perms(self, permissions: Iterable[str], about: object = None) -> bool:
        """Return True only if no permission is asked for."""
        return self.has_perms(permissions, about)

    async def ahas_module_perms(self, label: str) -> bool:
        """Return False."""
        return self.has_module_perms(label)


class VestibuleUser(_WithoutPermissions):
    """The caller, with the members that Django and its packages look for on a user."""

    is_authenticated = True
    is_anonymous = False
    is_active = True

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.id = self.pk = self.username = caller.id
        self.role = caller.role
        self.email_verified = caller.email_verified

    def __str__(self) -> str:
        return self.id

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VestibuleUser) and other.id == self.id

    def __hash__(self) -> int:
        return hash(self.id)


class Nobody(_WithoutPermissions):
    """The user of a request without a token, with the members of Django's `AnonymousUser`."""

    is_authenticated = False
    is_anonymous = True
    is_active = False
    caller = None
    id = pk = None
    username = role = ""
    email_verified = False

    def __str__(self) -> str:
        return "AnonymousUser"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Nobody)

    def __hash__(self) -> int:
        return 1


User = VestibuleUser | Nobody
View = Callable[..., Any]


@cache
def verifier() -> Verifier:
    """Return this process's verifier, made from `settings.VESTIBULE`."""
    return Verifier(**settings.VESTIBULE)


class VestibuleMiddleware:
    """Sets `request.user` to the caller, or to `Nobody` without a token. Answers a rejected token without the view."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self._get_response = get_response
        self._in_tasks = iscoroutinefunction(get_response)
        if self._in_tasks:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self._in_tasks:
            return self._call_async(request)
        try:
            _set_user(request, _identified(request))
        except CallerRefusedError as refusal:
            return refused(refusal)
        answer: HttpResponseBase = self._get_response(request)
        return answer

    async def _call_async(self, request: HttpRequest) -> HttpResponseBase:
        try:
            _set_user(request, VestibuleUser(await verifier().check_async(token_of(request))))
        except NoTokenError:
            _set_user(request, Nobody())
        except CallerRefusedError as refusal:
            return refused(refusal)
        answer: HttpResponseBase = await self._get_response(request)
        return answer


def signed_in(view: View) -> View:
    """Answer 401 unless the caller is signed in."""
    return with_role()(view)


def with_role(*roles: str) -> Callable[[View], View]:
    """Answer 403 unless the caller has one of `roles`; any role will do if none is given."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            refusal = _refusal(request, roles)
            return refused(refusal) if refusal else view(request, *arguments, **named)

        @wraps(view)
        async def guarded_async(request: HttpRequest, *arguments: Any, **named: Any) -> Any:
            refusal = _refusal(request, roles)
            return refused(refusal) if refusal else await view(request, *arguments, **named)

        return guarded_async if iscoroutinefunction(view) else guarded

    return guard


def token_of(request: HttpRequest) -> str:
    """Return the token of a request; raises `NoTokenError`, `CredentialAmbiguousError` or `CrossSiteError`."""
    scope = getattr(request, "scope", None)  # under ASGI; `META` would join headers of the same name
    return token_in(verifier(), str(request.method), scope["headers"] if scope else raw_headers(request.META))


def refused(refusal: CallerRefusedError) -> JsonResponse:
    """Return the response for a refusal."""
    return JsonResponse(refusal.body, status=refusal.status, headers=refusal.headers)


def _identified(request: HttpRequest) -> User:
    try:
        return VestibuleUser(verifier().check(token_of(request)))
    except NoTokenError:
        return Nobody()


def _set_user(request: HttpRequest, user: User) -> None:
    async def the_same() -> User:
        return user

    request.user, request.auser = user, the_same


def _refusal(request: HttpRequest, roles: tuple[str, ...]) -> CallerRefusedError | None:
    caller = getattr(request.user, "caller", None)
    try:
        if caller is None:
            raise NoTokenError
        if roles:
            caller.require(*roles)
    except CallerRefusedError as refusal:
        return refusal
    return None
