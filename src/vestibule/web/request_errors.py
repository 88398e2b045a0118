"""The refusals about the form of a request: its body, its headers, its path. `web` raises them before any flow runs."""

from typing import Any

from vestibule.model.errors import RefreshRefused, Refusal
from vestibule.protocol import refusals


class BodyInvalid(Refusal):
    """The body breaks the rules; `entries` has one member for each error, in the order of the fields."""

    code = "body_invalid"

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        super().__init__(entries[0]["message"])
        self.entries = entries


class BodyMalformed(Refusal):
    """The body cannot be read as JSON."""

    code = "body_malformed"

    def __init__(self, why: str) -> None:
        super().__init__(f"The body cannot be read as JSON: {why}")


class BodyTooLarge(Refusal):
    code = "body_too_large"


class UnsupportedMedia(Refusal):
    code = "unsupported_media"


class ReturnToTooLong(Refusal):
    """A page was asked with a `return_to` that is too long to be kept."""

    code = "return_to_too_long"


class AmbiguousCredential(Refusal):
    """More than one Authorization header (RFC 9110, section 5.3, allows one)."""

    code = refusals.AMBIGUOUS_CREDENTIAL.code


class NonceInvalid(Refusal):
    """The feed was asked for with a malformed nonce. The answer echoes only a well-formed one."""

    code = "nonce_invalid"


class HostInvalid(Refusal):
    """No Host header, more than one, or one that is malformed (RFC 9112, section 3.2)."""

    code = "host_invalid"


class HostUnknown(Refusal):
    """The Host header names another server (RFC 9110, section 15.5.20)."""

    code = "host_unknown"

    def __init__(self, name: str) -> None:
        super().__init__(f"This server is not {name}; its operator lists its names in VESTIBULE_ALLOWED_HOSTS")


class TransferCodingUnknown(Refusal):
    """A transfer coding that a proxy and this server may read differently (RFC 9112, section 6.1)."""

    code = "transfer_coding_unknown"


class CrossSite(Refusal):
    """Another site made the browser send this request (ASVS 5.0, 3.5.1)."""

    code = refusals.CROSS_SITE.code


class ReservedHeader(Refusal):
    """A client sent a header whose name begins with `Vestibule-`, which only Vestibule may set."""

    code = "reserved_header"


class FetchedAhead(Refusal):
    """A browser prefetched a GET that would change something."""

    code = "fetched_ahead"


class CrossSiteRefresh(RefreshRefused):
    """`CrossSite` at the refresh endpoint, where every refusal has the same message."""

    code = "cross_site"


# A CONNECT request has no path: it names a host to connect to (RFC 9110, section 9.3.6).
_PATH_MISSING = "This request has no path, and this server is not a proxy; ask for a path such as /login"


class RouteUnknown(Refusal):
    code = "route_unknown"

    def __init__(self, path: str) -> None:
        super().__init__(f"Route {path} not found" if path else _PATH_MISSING)


class MethodNotAllowed(Refusal):
    code = "method_not_allowed"

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__(f"{method} is not possible here; use {' or '.join(allowed)}")
        self.allowed = allowed
