"""Who is asking: `Authorization: Bearer` first, then the `access_token` cookie."""

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from vestibule.flows.env import Env
from vestibule.flows.identify import Caller, identify
from vestibule.model.errors import NotSignedIn
from vestibule.model.sessions import Device
from vestibule.web import cookies
from vestibule.web.errors import AmbiguousCredential

_MAX_USER_AGENT = 512


async def anyone() -> None:
    """The guard of routes that ask for nothing."""


async def signed_in(request: Request) -> Caller:
    """The caller; raises `NotSignedIn`, `AccessTokenInvalid` or `SessionOver`."""
    return await identify(env_of(request), presented_token(request))


def presented_token(request: Request) -> str:
    """The access token that was sent. An empty Bearer does not fall back to the cookie, as in the contract."""
    sent = request.headers.getlist("authorization")
    if len(sent) > 1:
        raise AmbiguousCredential
    scheme, _, token = sent[0].partition(" ") if sent else ("", "", "")
    if scheme.lower() != "bearer":
        token = cookies.read(request, cookies.ACCESS) or ""
    # Only what HTTP itself calls white space (RFC 9110, section 5.6.3); Python calls more so.
    token = token.strip(" \t")
    if not token:
        raise NotSignedIn
    return token


def env_of(request: Request) -> Env:
    """What this process was put together with."""
    env: Env = request.app.state.env
    return env


def device_of(request: Request) -> Device:
    """What the client says of itself, cut to a length that fits a list."""
    return Device(request.headers.get("user-agent", "")[:_MAX_USER_AGENT], network_address(request))


def network_address(request: Request) -> str:
    """The address of the peer on this connection."""
    return request.client.host if request.client else ""


InEnv = Annotated[Env, Depends(env_of)]
SignedInCaller = Annotated[Caller, Depends(signed_in)]
AtDevice = Annotated[Device, Depends(device_of)]
AtNetwork = Annotated[str, Depends(network_address)]
