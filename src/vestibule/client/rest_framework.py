"""Django REST framework: an authentication class, for `DEFAULT_AUTHENTICATION_CLASSES`.

    REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["vestibule.client.rest_framework.VestibuleAuthentication"]}

Put `VESTIBULE` into the settings, as `vestibule.client.django` shows. The middleware of that module is not needed.
"""

import sys

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated
from rest_framework.request import Request

from vestibule.client.caller import Caller
from vestibule.client.django import VestibuleUser, token_of, verifier
from vestibule.client.errors import CallerRefusedError, NoTokenError


class RefusedError(APIException):
    """A refusal as a REST framework exception. The response has the refusal's `body`, as in every other framework."""

    def __init__(self, refusal: CallerRefusedError) -> None:
        super().__init__(refusal.body, refusal.code)
        self.status_code = refusal.status
        # The framework sends these two as `WWW-Authenticate` and `Retry-After`.
        self.auth_header = refusal.challenge
        self.wait = refusal.headers.get("Retry-After")


class VestibuleAuthentication(BaseAuthentication):
    """Sets `request.user` to a `VestibuleUser`, and `request.auth` to the `Caller`."""

    def authenticate(self, request: Request) -> tuple[VestibuleUser, Caller] | None:
        """Return user and caller, or None without a token; raises `RefusedError`."""
        try:
            caller = verifier().check(token_of(request._request))
        except NoTokenError:
            return None
        except CallerRefusedError as refusal:
            raise RefusedError(refusal) from None
        return VestibuleUser(caller), caller

    def authenticate_header(self, _request: Request) -> str:
        """Return the `WWW-Authenticate` header for a request without a token that a permission class refuses."""
        # The framework calls this while it handles its own `NotAuthenticated`: give that the kit's body too.
        refused = sys.exception()
        if isinstance(refused, NotAuthenticated):
            refused.detail = NoTokenError().body
        return NoTokenError().challenge or ""
