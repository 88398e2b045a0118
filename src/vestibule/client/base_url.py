"""Check the URL of a Vestibule: every request begins with it, and sends secrets there."""

import ipaddress
import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from vestibule.protocol.service_keys import PREFIX
from vestibule.protocol.this_machine import is_this_machine

_LONGEST_NAME = 253  # RFC 1035, section 2.3.4: 255 octets, two of which are not in the text
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")


class PlainHttpError(ValueError):
    """The URL is plain HTTP to another machine. `what` is for people; the rest of the message is for developers."""

    def __init__(self, shown_url: str) -> None:
        self.shown_url = shown_url
        self.what = f"{shown_url} would send secrets in the open"
        super().__init__(f"{self.what}: use https (also in tests), or say plain_http=True in a private network")

    def __reduce__(self) -> tuple[Any, ...]:  # an exception is unpickled from `args`, which is the message
        return type(self), (self.shown_url,)


def base_of(url: str, *, plain_http: bool) -> str:
    """Return `url` without a trailing slash. Raises `ValueError` if it is no URL of a server, and `PlainHttpError`, a
    kind of `ValueError`, if secrets would travel unencrypted and `plain_http` does not allow that.
    """
    if not isinstance(url, str):
        raise ValueError("url must be text, such as https://auth.example.com")  # noqa: TRY004  # as for other arguments
    if PREFIX in url:  # the message does not repeat the secret
        raise ValueError("url is a service key: url and service_key have changed places")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ValueError(f"{_shown(url)} is not an address such as https://auth.example.com") from None
    if "@" in parts.netloc:  # every later error message would repeat it
        raise ValueError("the address has a user or a password in it, which nothing here uses: leave them out")
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"[?#\s\\]", url):
        raise ValueError(f"{_shown(url)} is not an address such as https://auth.example.com")
    if parts.scheme == "http" and not plain_http and not is_this_machine(parts.hostname):
        raise PlainHttpError(_shown(url))
    _require_possible_host(url, parts)
    return url.rstrip("/")


def _require_possible_host(url: str, parts: SplitResult) -> None:
    """Raise `ValueError` for a host or port that cannot exist, so that nobody waits for it."""
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError(f"{_shown(url)} has no valid port: use a number from 1 to 65535")
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii") if parsed.host else ""  # raw: `host` decodes international names
    except (httpx.InvalidURL, ValueError, TypeError):
        raise ValueError(f"{_shown(url)} is not an address such as https://auth.example.com") from None
    if not _is_address(host) and (len(host) > _LONGEST_NAME or not _NAME.fullmatch(host)):
        raise ValueError(f"{_shown(url)} has a host name that cannot exist")


def _shown(url: str) -> str:
    """Return the URL as messages show it, in quotes: without password, query or fragment, which may hold a key."""
    without_user = "…" + url.rpartition("@")[2] if "@" in url else url
    return repr(re.split(r"[?#]", without_user)[0])


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
