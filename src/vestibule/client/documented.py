"""How refusals look in an application's OpenAPI document: their body, and what each status means."""

from dataclasses import dataclass
from typing import Literal

SCHEME = "Vestibule"
"""The name of the security scheme in the document."""
SCHEME_DESCRIPTION = "An access token of Vestibule"

DESCRIPTIONS = {
    400: "Several Authorization headers were sent",
    401: (
        "Not signed in: no token was sent, or it is invalid, or its session has ended. With the code"
        " insufficient_user_authentication: signed in, but not by enough factors, or too long ago"
    ),
    403: "No role of the caller allows this, or another site made the browser send its cookie",
    503: "It cannot be decided right now who is signed in",
}


@dataclass
class RefusalBody:
    """The body of a refusal. `code` is for programs, `message` for people. `acr_values` and `max_age` say what a new
    sign-in has to reach (RFC 9470), and `permission` what no role of the caller has.
    """

    status: Literal["fail", "error"]
    code: str
    message: str
    acr_values: str | None = None
    max_age: int | None = None
    permission: str | None = None
