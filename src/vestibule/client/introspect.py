"""Ask Vestibule about tokens (RFC 7662). While a request about a token is under way, all further questions about the
token share the next request. They cannot share the first: its answer may be older than a sign-out that they must see.
"""

import asyncio
from typing import Any

import httpx

from vestibule.client import wire
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import CannotTellError, SessionOverError, TokenInvalidError, WrongSetupError
from vestibule.client.errors import NotReachedError, NotVestibuleError, ServiceRefusedError
from vestibule.client.permission_book import KeptPermissions, PermissionSource
from vestibule.client.token_clock import TokenClock
from vestibule.crypto.jws import InvalidToken
from vestibule.protocol import access_tokens
from vestibule.protocol.claims import Expected
from vestibule.protocol.tasks import SharedWork

PATH = "/api/auth/introspect"
_UNKNOWN = KeptPermissions()


class Introspection:
    """Sends introspection requests. Answers are not cached: each holds only for its own moment."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        expected: Expected,
        clock: TokenClock,
        permissions: PermissionSource = _UNKNOWN,
    ) -> None:
        self._http = http
        self._expected = expected
        self._clock = clock
        self._permissions = permissions
        self._under_way = SharedWork[str, Caller]()

    async def ask(self, token: str) -> Caller:
        """Return the caller; raises `SessionOverError` for an inactive token, `CannotTellError` without an answer, and
        `TokenInvalidError` for claims that no access token may have.
        """
        return await self._under_way.later_result(token, lambda: self._ask_once(token))

    async def _introspect(self, token: str) -> dict[str, Any]:
        """Return the response to an introspection request; raises `WrongSetupError` or `CannotTellError`."""
        try:
            async with asyncio.timeout(wire.ANSWER_SECONDS):
                async with self._http.stream("POST", PATH, data={"token": token}) as answer:
                    return _require_form(await wire.json_of(answer))
        except (ServiceRefusedError, NotVestibuleError) as fault:
            raise WrongSetupError(str(fault)) from None
        except (NotReachedError, httpx.HTTPError, TimeoutError):
            raise CannotTellError from None

    async def _ask_once(self, token: str) -> Caller:
        response = await self._introspect(token)
        if response["active"] is False:
            raise SessionOverError
        try:
            found = access_tokens.judge(response, self._expected, self._clock.now())
        except InvalidToken:
            raise TokenInvalidError from None
        return Caller.of(found, response, self._clock, self._permissions)


def _require_form(response: object) -> dict[str, Any]:
    """Return the introspection response if it is well-formed (RFC 7662, section 2.2); raises `NotVestibuleError`."""
    if not isinstance(response, dict) or not isinstance(response.get("active"), bool):
        raise NotVestibuleError("the answer is no introspection response; check the url")
    return response
