"""Check Vestibule's access tokens in your own service, without a call for each request.

    verifier = Verifier("https://auth.example.com", service_key="vsk_…")
    caller = verifier.check(token)          # or: await verifier.check_async(token)

    session = Session("https://auth.example.com")
    session.sign_in("ada@example.com", "correct horse")

`Verifier` decides in memory; `feed_reader` and `keys` keep that memory current in the background. `fastapi`, `asgi`,
`wsgi`, `flask`, `django`, `rest_framework` and `litestar` connect it to frameworks. `Session` is one user's sign-in,
for programs. The kit needs httpx and joserfc, and of Vestibule only `protocol`, `crypto` and `model.clock`; an import
contract enforces that. docs/services.md says how to use the kit.
"""

import vestibule.client.required_packages  # noqa: F401  # first: it says what to install if a package is missing
from vestibule.client.async_session import AsyncSession
from vestibule.client.caller import Caller
from vestibule.client.caller_errors import (
    CallerRefusedError,
    CannotTellError,
    CredentialAmbiguousError,
    CrossSiteError,
    InsufficientAuthenticationError,
    NotAllowedError,
    NoTokenError,
    PermissionMissingError,
    SessionOverError,
    TokenInvalidError,
    WrongSetupError,
)
from vestibule.client.errors import (
    EnrolmentRequiredError,
    NotReachedError,
    NotStoredError,
    NotVestibuleError,
    SecondFactorRequiredError,
    ServiceRefusedError,
    SignedOutError,
    TooManyServicesError,
    VestibuleError,
    WrongIssuerError,
)
from vestibule.client.session import Session
from vestibule.client.tokens import InFile, InMemory, Tokens, TokenStore
from vestibule.client.verifier import Verifier

__all__ = [
    "AsyncSession",
    "Caller",
    "CallerRefusedError",
    "CannotTellError",
    "CredentialAmbiguousError",
    "CrossSiteError",
    "EnrolmentRequiredError",
    "InFile",
    "InMemory",
    "InsufficientAuthenticationError",
    "NoTokenError",
    "NotAllowedError",
    "NotReachedError",
    "NotStoredError",
    "NotVestibuleError",
    "PermissionMissingError",
    "SecondFactorRequiredError",
    "ServiceRefusedError",
    "Session",
    "SessionOverError",
    "SignedOutError",
    "TokenInvalidError",
    "TokenStore",
    "Tokens",
    "TooManyServicesError",
    "Verifier",
    "VestibuleError",
    "WrongIssuerError",
    "WrongSetupError",
]
