"""The way to Vestibule: no redirects, nothing compressed, and an end to everything."""

import ipaddress
from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

import httpx

from vestibule.client.errors import NotReached, ServiceRefused
from vestibule.crypto import i_json

TIMEOUT = httpx.Timeout(3.0, connect=2.0)
ANSWER_SECONDS = 5.0
MAX_ANSWER_BYTES = 256_000
_UNAUTHORIZED = 401


def base_of(url: str, *, plain_http: bool) -> str:
    """The address to build on; raises `ValueError` where a secret would travel in the open."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(f"{url!r} is not an address such as https://auth.example.com")
    if parts.scheme == "http" and not plain_http and not _is_loopback(parts.hostname):
        raise ValueError(f"{url!r} would send secrets in the open: use https, or say plain_http=True in a net of yours")
    return url.rstrip("/")


def origins_of(named: Collection[str]) -> frozenset[str]:
    """Origins such as `https://app.example.com`, without a path; raises `ValueError` for what is none."""
    if isinstance(named, str):
        raise ValueError("origins is a list of them, not one string")  # noqa: TRY004  # as for every other argument
    for origin in named:
        parts = urlsplit(origin)
        if f"{parts.scheme}://{parts.netloc}" != origin or not parts.netloc:
            raise ValueError(f"{origin!r} is not an origin such as https://app.example.com, without a slash at its end")
    return frozenset(named)


def client(base: str, service_key: str = "") -> httpx.AsyncClient:
    """An HTTP client for one Vestibule. It takes nothing from the environment: the way there is what was given."""
    headers = {"Accept-Encoding": "identity"}
    if service_key:
        headers["Authorization"] = f"Bearer {service_key}"
    return httpx.AsyncClient(
        base_url=base, headers=headers, timeout=TIMEOUT, follow_redirects=False, trust_env=False, http2=False
    )


async def json_of(answer: httpx.Response) -> Any:
    """The body of a 200 as JSON, counted while it is read; raises `NotReached`."""
    require_ok(answer)
    text = bytearray()
    async for piece in answer.aiter_raw():
        text += piece
        if len(text) > MAX_ANSWER_BYTES:
            raise NotReached(f"{answer.url} answers more than {MAX_ANSWER_BYTES} bytes")
    try:
        return i_json.parse(bytes(text))
    except i_json.NotIJson as fault:
        raise NotReached(f"{answer.url} does not answer JSON: {fault}") from None


def require_ok(answer: httpx.Response) -> None:
    """Raises `ServiceRefused` for 401 and `NotReached` for every status but 200."""
    if answer.status_code == _UNAUTHORIZED:
        raise ServiceRefused(f"{answer.url} does not know the service key; make one with: vestibule services add NAME")
    if answer.status_code != httpx.codes.OK:
        raise NotReached(f"{answer.url} answers {answer.status_code}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
