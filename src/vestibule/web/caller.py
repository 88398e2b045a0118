"""Find the caller of a request: by `Authorization: Bearer` first, otherwise by the `access_token` cookie.

The last lines define the types of handlers' parameters, such as `caller: SignedInCaller`.
"""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.check_session import check_session
from vestibule.flows.env import Env
from vestibule.flows.identify import Caller, identify
from vestibule.flows.require_holder import require_holder
from vestibule.model.accounts import Account
from vestibule.model.client_info import ClientInfo
from vestibule.model.devices import DeviceSecret
from vestibule.model.errors import NotSignedIn, Refusal
from vestibule.model.languages import LANGUAGES, preferred
from vestibule.model.sessions import Device
from vestibule.protocol import credentials
from vestibule.protocol.cookies import RawHeaders, read
from vestibule.protocol.credentials import Ambiguous
from vestibule.web import cookies
from vestibule.web.request_context import context_of
from vestibule.web.request_errors import AmbiguousCredential
from vestibule.web.site import site_of
from vestibule.web.web_policy import WebPolicy

_MAX_USER_AGENT = 512  # characters that are stored


async def anyone() -> None:
    """Let every request pass."""


async def signed_in(request: Request) -> Caller:
    """Return the caller; raises `NotSignedIn`, `AccessTokenInvalid`, `AmbiguousCredential` or `SessionOver`."""
    identified = context_of(request).take_identified()
    if identified is not None:
        return identified
    return await identify(await env_of(request), presented_token(request.headers.raw, site_of(request).web))


async def session_holder(request: Request, caller: Annotated[Caller, Depends(signed_in)]) -> None:
    """Raise `RefreshTokenRequired` unless the request has the refresh token of the caller's session in its cookie."""
    refresh_token = cookies.read_refresh(request.headers.raw, site_of(request).web)
    await require_holder(await env_of(request), caller, refresh_token or "")


async def session_account(request: Request) -> Account | None:
    """Return the account of the session that the request's access or refresh token belongs to; None without a live
    session. For requests that need no sign-in. Raises `StoreUnavailable`.
    """
    raw, web = request.headers.raw, site_of(request).web
    try:
        token, _ = credentials.find_token(raw, cookies.access_name(web))
        return await check_session(await env_of(request), token or "", cookies.read_refresh(raw, web) or "")
    except (Ambiguous, Refusal):
        return None


def presented_token(headers: RawHeaders, web: WebPolicy) -> str:
    """Return the access token of a request. Raises `NotSignedIn` without one, and `AmbiguousCredential` if
    several Authorization headers were sent. An empty Bearer does not fall back to the cookie: the contract says so.
    """
    try:
        token, _ = credentials.find_token(headers, cookies.access_name(web))
    except Ambiguous:
        raise AmbiguousCredential from None
    if not token:
        raise NotSignedIn
    return token


def bearer(headers: RawHeaders) -> str | None:
    """Return the token after `Authorization: Bearer` (RFC 6750, section 2.1), or None without that header. Raises
    `AmbiguousCredential` if the header is sent more than once.
    """
    try:
        return credentials.bearer(headers)
    except Ambiguous:
        raise AmbiguousCredential from None


# These functions are async so that FastAPI calls them in the event loop: it runs plain functions on threads.
async def env_of(request: Request) -> Env:
    """Return the `Env` of this process."""
    return site_of(request).env


async def device_of(request: Request) -> Device:
    """Return the client's user agent, cut to 512 characters, and its network address."""
    return Device(request.headers.get("user-agent", "")[:_MAX_USER_AGENT], await network_address(request))


async def network_address(request: Request) -> str:
    """Return the client's network address (`client_address`)."""
    return site_of(request).client_addresses.of(request.scope)


async def client_info_of(request: Request) -> ClientInfo:
    """Return the client's device, its language, and the device secrets in its cookies, by account tag."""
    devices = cookies.read_devices(request.headers.raw, site_of(request).web)
    return ClientInfo(await device_of(request), wanted_language(request), devices)


def second_step_handle(request: Request) -> str:
    """Return the handle of the sign-in that waits for its second step in this browser; empty without one."""
    return cookies.read_second_factor(request.headers.raw, site_of(request).web)


def set_device_cookie(request: Request, response: Response, env: Env, device: DeviceSecret | None) -> None:
    """Set the cookie with the device secret, if there is one, so that the account knows this browser at the next
    sign-in.
    """
    if device is None:
        return
    lifetime, web = env.policy.retention.devices, site_of(request).web
    cookies.set_device(response, request.headers.raw, device, lifetime, env.clock.now(), web)


def wanted_language(request: Request) -> str | None:
    """Return the language that was chosen on a page, otherwise the browser's preferred one; None without either."""
    chosen = read(request.headers.raw, cookies.LANGUAGE.encode())
    return chosen if chosen in LANGUAGES else preferred(request.headers.get("accept-language", ""))


EnvDep = Annotated[Env, Depends(env_of)]
SignedInCaller = Annotated[Caller, Depends(signed_in)]
ClientInfoDep = Annotated[ClientInfo, Depends(client_info_of)]
