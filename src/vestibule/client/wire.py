"""HTTP to Vestibule: no redirects, no compression, and bounds on time and size."""

import contextlib
import importlib
import os
import re
import ssl
from typing import Any

import httpx

from vestibule.client.errors import NotReachedError, NotVestibuleError, ServiceRefusedError, TooManyServicesError
from vestibule.crypto import i_json
from vestibule.protocol import timeouts
from vestibule.protocol.refusals import TOO_MANY_FOLLOWERS, TOO_MANY_POLLS
from vestibule.protocol.service_keys import PREFIX

ANSWER_SECONDS = timeouts.ANSWER_SECONDS
MAX_ANSWER_BYTES = timeouts.MAX_ANSWER_BYTES
READ_SECONDS, CONNECT_SECONDS = 3.0, 2.0
TIMEOUT = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
IDLE_CONNECTIONS = 1
"""How many idle connections are kept. After Vestibule has moved to another host, each costs one time-out."""

_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]+")
ASK_ANEW = {"Cache-Control": "no-cache"}
"""Has caches ask Vestibule before they answer (RFC 9111, section 5.2.1.4)."""

A_CACHE = "a cache in between, from what it has kept: it must keep nothing of this URL"
_SECONDS = re.compile(r"[0-9]{1,10}")
_TOO_MANY = {
    TOO_MANY_FOLLOWERS.code: "serves as many followers as VESTIBULE_FEED_FOLLOWERS allows, and each worker process of "
    "a service is one",
    TOO_MANY_POLLS.code: "is polled with this service key more than twice a second for each follower that "
    "VESTIBULE_FEED_FOLLOWERS allows",
}
_TOO_MANY_STATUS = {TOO_MANY_FOLLOWERS.status, TOO_MANY_POLLS.status}
_KEY_REFUSED = {401, 403}
_NOT_FOUND = {400, 404, 405, 406, 410, 421}
_AT_FIRST_REQUEST = (
    "anyio._backends._asyncio",
    "anyio.streams.tls",
    "certifi",
    "concurrent.futures.thread",
    "encodings.idna",
    "h11",
    "httpcore",
    "queue",
    "sniffio",
)
"""What httpx and asyncio import at their first request. Imported here, so that no background thread imports it: a fork
in the middle of an import would leave half a module in the child.
"""

for _module in _AT_FIRST_REQUEST:
    with contextlib.suppress(ImportError):  # private modules of others: another version may have other names
        importlib.import_module(_module)
CHECK_URL = "check the url"


class AuthoritiesError(ValueError):
    """No certificate authorities can be read. The message names the variable or the package that should have them."""


def key_of(text: str) -> str:
    """Return a service key without white space around it; raises `ValueError`, which never shows the key."""
    key = text.strip() if isinstance(text, str) else ""
    if not _KEY.fullmatch(key):
        raise ValueError(
            "service_key is not one: `vestibule services create NAME` prints one, beginning with vsk_; "
            "in tests, vsk_test is enough"
        )
    return key


def context_of(base: str, given: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Return the TLS context that checks certificates: `given`, or one with the authorities in `SSL_CERT_FILE` or
    `SSL_CERT_DIR`, or else in certifi. Each process needs its own: a lock in it may be held during a fork. Raises
    `AuthoritiesError`, and `ValueError` for a wrong `given`.
    """
    if given is not None:
        if not isinstance(given, ssl.SSLContext):
            raise ValueError("ssl_context is one, as ssl.create_default_context(cafile=…) makes it")
        return given
    if base.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # never used, and loading authorities takes CPU
    try:
        return httpx.create_ssl_context()
    except OSError:  # also ssl.SSLError
        raise AuthoritiesError(_no_authorities()) from None


def _no_authorities() -> str:
    """Return the sentence for authorities that cannot be read, where httpx looked for them."""
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        if path := os.environ.get(name):
            return f"{name}: {path} holds no certificates that can be read"
    return "the package certifi holds no certificates that can be read; install it again, or set SSL_CERT_FILE"


def require_context(base: str, given: ssl.SSLContext | None) -> None:
    """Raise `ValueError` if `context_of` would. Does not load certifi's authorities, which are always there."""
    if given is not None or os.environ.get("SSL_CERT_FILE"):
        context_of(base, given)


def client(
    base: str, service_key: str, context: ssl.SSLContext, *, idle_connections: int = IDLE_CONNECTIONS
) -> httpx.AsyncClient:
    """Return an HTTP client for one Vestibule. It ignores the environment's proxy settings."""
    headers = {"Accept-Encoding": "identity"}
    if service_key:
        headers["Authorization"] = f"Bearer {service_key}"
    return httpx.AsyncClient(
        base_url=base,
        headers=headers,
        timeout=TIMEOUT,
        limits=httpx.Limits(max_keepalive_connections=idle_connections),
        follow_redirects=False,
        trust_env=False,
        http2=False,
        verify=context,
    )


def url_of(answer: httpx.Response) -> httpx.URL:
    """Return the request's URL without its query, which differs in each request to the feed, or may hold a secret."""
    return answer.url.copy_with(query=None)


async def text_of(answer: httpx.Response) -> str:
    """Return the body of a 200, of at most `MAX_ANSWER_BYTES`, as ASCII; raises `NotReachedError`."""
    require_ok(answer)
    return (await _content_of(answer)).decode("ascii", "replace")


async def json_of(answer: httpx.Response) -> Any:
    """Return the JSON body of a 200, of at most `MAX_ANSWER_BYTES`; raises `NotReachedError`."""
    require_ok(answer)
    content = await _content_of(answer)
    try:
        return i_json.parse(content)
    except i_json.NotIJson as fault:
        raise NotVestibuleError(f"{url_of(answer)} does not answer JSON ({fault}); {CHECK_URL}") from None


def age_of(answer: httpx.Response) -> float:
    """Return for how many seconds a cache has held the answer (RFC 9111, section 5.1); 0 if Vestibule answered itself,
    and infinity if the header is not a number.
    """
    age = answer.headers.get("Age", "0")
    return float(age) if _SECONDS.fullmatch(age) else float("inf")


def require_not_cached(answer: httpx.Response) -> None:
    """Raise `NotReachedError` if a cache answered with a stored response."""
    if age_of(answer):
        raise NotReachedError(f"{url_of(answer)} was answered by {A_CACHE}")


async def _code_of(answer: httpx.Response) -> str:
    """Return the error code, if the answer is a refusal by Vestibule; empty otherwise."""
    try:
        body = i_json.parse(await _content_of(answer))
    except (i_json.NotIJson, NotVestibuleError):
        return ""
    return str(body.get("code")) if isinstance(body, dict) else ""


async def _content_of(answer: httpx.Response) -> bytes:
    content = bytearray()
    async for piece in answer.aiter_raw():
        content += piece
        if len(content) > MAX_ANSWER_BYTES:
            raise NotVestibuleError(f"{url_of(answer)} answers more than {MAX_ANSWER_BYTES} bytes; {CHECK_URL}")
    return bytes(content)


def require_ok(answer: httpx.Response) -> None:
    """Raise `ServiceRefusedError` or `NotVestibuleError` for what an operator must correct, and `NotReachedError` for
    every other status but 200.
    """
    status, url = answer.status_code, url_of(answer)
    if status in _KEY_REFUSED:
        raise ServiceRefusedError(
            f"{url} does not know the service key ({status}); make one with: vestibule services create NAME"
        )
    if answer.has_redirect_location:
        raise NotVestibuleError(f"{url} answers {status}: redirects are not followed; {CHECK_URL}")
    if status in _NOT_FOUND:
        raise NotVestibuleError(f"{url} answers {status}: not a Vestibule, or not under this name; {CHECK_URL}")
    if status != httpx.codes.OK:
        raise NotReachedError(f"{url} answers {status}")


async def require_stream(answer: httpx.Response) -> None:
    """Raise `NotVestibuleError` unless the response is an event stream (HTML Standard, section 9.2), and
    `TooManyServicesError` if Vestibule serves as many feeds as it may.
    """
    if answer.status_code in _TOO_MANY_STATUS and (why := _TOO_MANY.get(await _code_of(answer))):
        raise TooManyServicesError(f"{url_of(answer)} {why}: raise that at Vestibule", _retry_after(answer))
    require_ok(answer)
    if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
        raise NotVestibuleError(f"{url_of(answer)} does not answer events; {CHECK_URL}")


def _retry_after(answer: httpx.Response) -> float:
    """Return for how many seconds Vestibule asks to wait (RFC 9110, section 10.2.3); 0 if it does not say."""
    wait = answer.headers.get("Retry-After", "0")
    return float(wait) if _SECONDS.fullmatch(wait) else 0.0
