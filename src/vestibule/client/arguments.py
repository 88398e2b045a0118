"""Check the arguments of classes and functions. Each check raises a `ValueError` about a wrong argument, or returns the
right one, sometimes converted.
"""

import math
import re
import sys
from collections.abc import Collection, Mapping
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import httpx

from vestibule.protocol import hosts
from vestibule.protocol.claims import Expected
from vestibule.protocol.service_keys import hide_keys

T = TypeVar("T")
_SHOWN_CHARACTERS = 60
_DEFAULT_PORTS = {"http": 80, "https": 443}
_COOKIE_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 6265, section 4.1.1
_APP_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9.-]+")
_WEB_HOST = re.compile(r"[a-z0-9_.-]+|\[[0-9a-f:.]+\]")
_SCHEMES_WITHOUT_PAGES = {"data", "file", "ftp", "javascript", "ws", "wss"}


def seconds(name: str, value: float, least: float, most: float = math.inf) -> float:
    """Return a number of seconds; raises `ValueError` unless it is a finite number from `least` to `most`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"{name} is a number of seconds, not {_shown(value)}")
    if not least <= value <= most:
        bounds = f"{least:g} seconds or more" if math.isinf(most) else f"{least:g} to {most:g} seconds"
        raise ValueError(f"{name} is {bounds}, not {_shown(value)}")
    return value


def count(name: str, value: int) -> int:
    """Return a whole number of 1 or more; raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} is a whole number from 1 on, not {_shown(value)}")
    return value


def whole(name: str, value: int, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`; raises `ValueError` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most}, not {_shown(value)}")
    return value


def flag(name: str, value: bool) -> bool:
    """Return True or False; raises `ValueError` for anything else: the text "false" would count as true."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} is True or False, not {_shown(value)}")  # noqa: TRY004  # as for other arguments
    return value


def string(name: str, value: str) -> str:
    """Return a text; raises `ValueError`, which does not show the value: it may be a secret."""
    if not isinstance(value, str):
        raise ValueError(f"{name} is text, not {type(value).__name__}")  # noqa: TRY004  # as for other arguments
    return value


def credentials(email: str, password: str) -> dict[str, str]:
    """Return the body of a sign-in request; raises `ValueError` unless both are text."""
    return {"email": string("email", email), "password": string("password", password)}


def instance(name: str, value: T, *kinds: type) -> T:
    """Return an object of one of these classes; raises `ValueError` for anything else, and names the first class."""
    if not isinstance(value, kinds):
        wanted = f"an object of the class {kinds[0].__name__}"
        raise ValueError(f"{name} is {wanted}, not {_shown(value)}")  # noqa: TRY004  # as for other arguments
    return value


def having(name: str, value: T, *methods: str) -> T:
    """Return an object that has these methods; raises `ValueError` for a class, and for anything else."""
    if isinstance(value, type) or not all(callable(getattr(value, method, None)) for method in methods):
        raise ValueError(f"{name} is an object with {', '.join(methods)}, not {_shown(value)}")
    return value


def function(name: str, value: T) -> T:
    """Return what can be called; raises `ValueError` for anything else."""
    if not callable(value):
        raise ValueError(f"{name} is something to call, not {_shown(value)}")  # noqa: TRY004  # as for other arguments
    return value


def paths(name: str, value: Collection[str]) -> frozenset[str]:
    """Return paths of requests; raises `ValueError` for a single string, whose letters would be taken for paths."""
    named = listed(name, value)
    wrong = [path for path in named if not (isinstance(path, str) and path.startswith("/"))]
    if wrong:
        raise ValueError(f"{name} is a list of paths that begin with /, such as /health, not {_shown(wrong[0])}")
    return frozenset(named)


def listed(name: str, value: Collection[T]) -> Collection[T]:
    """Return a collection, such as a list, tuple or set; raises `ValueError` for anything else, and for text, bytes and
    mappings, which are collections too.
    """
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Collection):
        raise ValueError(f"{name} is a list, not {_shown(value)}")  # noqa: TRY004  # as for other arguments
    return value


def cookie_name(value: str | None) -> str | None:
    """Return the name of a cookie, or None; raises `ValueError` for what cannot be one (RFC 6265, section 4.1.1)."""
    if value is not None and not (isinstance(value, str) and _COOKIE_NAME.fullmatch(value)):
        raise ValueError(f"cookie is the name of one, such as access_token, not {_shown(value)}")
    return value


def expected(issuer: str | Collection[str], audience: str, leeway: float) -> Expected:
    """Return the issuers, audience and leeway to check tokens by; raises `ValueError` without an issuer or an
    audience, or for a leeway that is not 0 to 60 seconds.
    """
    issuers = (issuer,) if isinstance(issuer, str) else tuple(listed("issuer", issuer))
    if not issuers or not all(isinstance(name, str) and name for name in issuers):
        raise ValueError("issuer is a name, or a list of at least one")
    if not isinstance(audience, str) or not audience:
        raise ValueError(f"audience is a name, not {_shown(audience)}")
    return Expected(issuers[0], audience, seconds("leeway", leeway, 0, 60), issuers[1:])


def origins_of(origins: Collection[str]) -> frozenset[str]:
    """Return origins as browsers send them: in lower case, without a default port, international names in ASCII (RFC
    6454, section 6.2). Raises `ValueError` for what no browser ever sends.
    """
    return frozenset(_origin(origin) for origin in listed("origins", origins))


def _origin(given: str) -> str:
    try:
        origin = given.strip().lower()
        parts = urlsplit(origin)
        if parts.scheme not in _DEFAULT_PORTS:
            # An app with its own pages, such as capacitor://localhost. It has no port.
            valid = bool(_APP_ORIGIN.fullmatch(origin)) and parts.scheme not in _SCHEMES_WITHOUT_PAGES
            sent = origin
        else:
            sent = _sent_by_browsers(parts)
            valid = origin == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc
    except (ValueError, TypeError, AttributeError, httpx.InvalidURL):
        valid, sent = False, ""
    if not valid:
        raise ValueError(
            f"{_shown(given)} is not an origin such as https://app.example.com, without path, slash at the end, user, *"
        )
    return sent


def _sent_by_browsers(parts: SplitResult) -> str:
    """Return the origin of a web site as browsers send it; raises `ValueError` and httpx's error."""
    host = httpx.URL(f"{parts.scheme}://{parts.netloc}").raw_host.decode("ascii")
    host_in_url = hosts.in_url(host)
    if not _WEB_HOST.fullmatch(host_in_url) or parts.port == 0:
        raise ValueError
    default = parts.port is None or parts.port == _DEFAULT_PORTS[parts.scheme]
    return f"{parts.scheme}://{host_in_url}" if default else f"{parts.scheme}://{host_in_url}:{parts.port}"


def _shown(value: Any) -> str:
    try:
        shown = hide_keys(repr(value))
    except ValueError:  # a number of thousands of digits
        shown = type(value).__name__
    return shown if len(shown) <= _SHOWN_CHARACTERS else shown[:_SHOWN_CHARACTERS] + "…"
