"""Check a running server from outside: certificate, clock, cookies, CORS, caching, and the proxy's changes."""

import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import SplitResult, urlsplit

from vestibule.crypto import i_json
from vestibule.doctor.rules import Rule, findings
from vestibule.model.clock import Clock
from vestibule.model.findings import Finding, fault, fine, hint, warning
from vestibule.process import system_faults
from vestibule.protocol import timeouts
from vestibule.protocol.other_sites import DOCTORS_ORIGIN
from vestibule.protocol.this_machine import is_this_machine
from vestibule.protocol.timeouts import Timeouts, Unbounded
from vestibule.settings.fields import Settings
from vestibule.settings.types import shown

SUBJECT = "outside"
_TIMEOUT_SECONDS = 10
_PIECE = 16_384
_FEW_DAYS = 14
_HEALTH = "/api/healthchecker"
_ME = "/api/users/me"


def check(settings: Settings, clock: Clock, url: str) -> list[Finding]:
    """Return findings about the server at `url`."""
    address = _parsed(url)
    if address is None:
        what = f"{shown(url)} is not the URL of a server"
        return [fault(SUBJECT, what, "Nothing was checked.", "--url https://auth.…")]
    # Findings show the URL, so drop the parts that may be secret.
    address = address._replace(netloc=address.netloc.rpartition("@")[2], query="", fragment="")
    try:
        return _visit(settings, clock, address)
    except (Unbounded, OSError, UnicodeError, http.client.HTTPException) as reason:
        return [_not_reached(address, reason)]


def _not_reached(address: SplitResult, reason: Exception) -> Finding:
    url = address.geturl()
    if isinstance(reason, ssl.SSLCertVerificationError):
        what = f"the certificate of {address.hostname} is not accepted: {reason.verify_message}"
        remedy = (
            "give the proxy a certificate for this name, with its whole chain; if an authority of your own signed it, "
            "name the authority's file in SSL_CERT_FILE"
        )
        return fault(SUBJECT, what, "Browsers refuse to connect.", remedy)
    if isinstance(reason, Unbounded):
        what, remedy = f"{url} {reason}, unlike Vestibule", f"see what answers there: curl -v {url}{_HEALTH}"
        return fault(SUBJECT, what, "The proxy passes requests on to something else.", remedy)
    remedy = f"check that the server and the proxy run: curl -v {url}{_HEALTH}"
    return fault(
        SUBJECT, f"{url} does not answer: {system_faults.reason(reason) or reason}", "Nobody can sign in.", remedy
    )


def _parsed(url: str) -> SplitResult | None:
    """Return the parsed URL; None if it is not a server's."""
    try:
        address = urlsplit(url)
        _ = address.port  # raises ValueError if that is not the number of a port
    except ValueError:
        return None
    return address if address.scheme in ("http", "https") and address.hostname else None


class _Answer:
    """Sends one request; holds the response, read to its end, and when the server's certificate expires."""

    def __init__(self, address: SplitResult, method: str, path: str, **headers: str) -> None:
        kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
        connection = kind(address.hostname or "", address.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.connect()  # before `Timeouts`, which limits the answer: connecting has a timeout of its own
            with Timeouts(timeouts.ANSWER_SECONDS) as time_limit:
                time_limit.watch(connection.sock)
                # A socket without TLS has no `getpeercert`: then `dict()` stands for an empty certificate.
                certificate: dict[str, Any] = getattr(connection.sock, "getpeercert", dict)()
                connection.request(method, address.path.rstrip("/") + path, headers=headers)
                answer = connection.getresponse()
                self.content = time_limit.read_whole(iter(lambda: answer.read(_PIECE), b""))
            self.status, self.headers = answer.status, answer.headers
            self.expires = str(certificate.get("notAfter", ""))
        finally:
            connection.close()

    def is_ours(self) -> bool:
        """Return whether this is the response of Vestibule's health check."""
        try:
            return self.status == HTTPStatus.OK and i_json.parse(self.content).get("status") == "success"
        except (ValueError, AttributeError):
            return False


@dataclass(frozen=True)
class _Seen:
    """Two answers of the server at an address: `health` of the health check, `refused` of `_ME` without a token."""

    address: SplitResult
    health: _Answer
    refused: _Answer

    @property
    def secure_cookies(self) -> bool:
        """Return whether the server runs in production: then it sends this header, and sets Secure cookies."""
        return "Strict-Transport-Security" in self.health.headers

    @property
    def is_elsewhere(self) -> bool:
        """Return whether the address is that of another machine."""
        return not is_this_machine(self.address.hostname or "")


def _visit(settings: Settings, clock: Clock, address: SplitResult) -> list[Finding]:
    health = _Answer(address, "GET", _HEALTH)
    if not health.is_ours():
        return [_not_ours(address, health)]
    return [
        fine(SUBJECT, f"{address.geturl()} answers"),
        *_certificate(clock, address, health),
        *_clock(settings, clock, health),
        *_cors(settings, address),
        *findings(_RULES, SUBJECT, _Seen(address, health, refused=_Answer(address, "GET", _ME))),
    ]


def _not_ours(address: SplitResult, health: _Answer) -> Finding:
    if health.status == HTTPStatus.MISDIRECTED_REQUEST:
        what = f"the server does not answer to the name {address.hostname}"
        remedy = (
            f"VESTIBULE_URL=https://{address.hostname}, or the name in VESTIBULE_ALLOWED_HOSTS; and let the proxy pass "
            "Host on"
        )
        return fault(SUBJECT, what, "Every request is answered 421.", remedy)
    what = f"{_HEALTH} answers {health.status}, unlike Vestibule"
    why = "The proxy passes requests on to something else."
    return fault(SUBJECT, what, why, "let the proxy pass every path on unchanged")


def _certificate(clock: Clock, address: SplitResult, health: _Answer) -> Iterator[Finding]:
    if not health.expires:
        return
    days = (datetime.fromtimestamp(ssl.cert_time_to_seconds(health.expires), UTC) - clock.now()).days
    if days < _FEW_DAYS:
        when = "tomorrow" if days == 1 else f"in {days} days"
        what = f"the certificate of {address.hostname} expires {when}"
        yield warning(SUBJECT, what, "Then browsers refuse to connect.", "let the proxy renew it")


def _clock(settings: Settings, clock: Clock, health: _Answer) -> Iterator[Finding]:
    try:
        seconds = abs((parsedate_to_datetime(health.headers["Date"]) - clock.now()).total_seconds())
    except (ValueError, TypeError, OverflowError):  # no Date header, or an invalid one
        return
    if seconds > settings.clock_leeway_seconds + 2:  # Date has whole seconds, and the answer took some time
        why = "If the server's clock is wrong, other machines refuse its tokens."
        yield warning(
            SUBJECT, f"its clock and this machine's are {seconds:.0f} s apart", why, "timedatectl set-ntp true"
        )


def _cors(settings: Settings, address: SplitResult) -> Iterator[Finding]:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for origin in settings.front_ends:
        allowed = _Answer(address, "OPTIONS", "/api/auth/login", Origin=origin, **asked).headers
        if allowed.get("Access-Control-Allow-Origin") != origin:
            yield fault(
                SUBJECT,
                f"CORS refuses the front-end at {origin}",
                "Browsers hide every response from it, and people see a blank page.",
                f"ORIGIN={origin} where the server runs; or let the proxy pass Origin and OPTIONS on, and set no CORS "
                "headers itself",
            )
        elif len(allowed.get_all("Access-Control-Allow-Origin", [])) > 1:
            what = "the proxy adds CORS headers to those that Vestibule has set"
            yield fault(SUBJECT, what, "Browsers reject a response that has them twice.", "remove them at the proxy")
    yield from _cors_of_others(address, asked)


def _cors_of_others(address: SplitResult, asked: dict[str, str]) -> Iterator[Finding]:
    """Yield a fault if CORS allows `DOCTORS_ORIGIN`, which is nobody's front-end."""
    foreign = _Answer(address, "OPTIONS", "/api/auth/login", Origin=DOCTORS_ORIGIN, **asked).headers
    if foreign.get("Access-Control-Allow-Origin") in (DOCTORS_ORIGIN, "*"):
        yield fault(
            SUBJECT,
            "CORS allows any web page",
            "Any page that people visit can act in their name.",
            "remove the CORS headers at the proxy; Vestibule sets them for ORIGIN alone",
        )


_RULES: tuple[Rule[_Seen], ...] = (
    Rule(
        lambda seen: seen.secure_cookies and seen.address.scheme == "http" and seen.is_elsewhere,
        fault,
        "it sets Secure cookies, and is reached over plain HTTP",
        "No browser stores them, so no sign-in lasts.",
        "set up TLS at the proxy, and a redirect from http to https",
    ),
    Rule(
        lambda seen: not seen.secure_cookies and seen.is_elsewhere,
        warning,
        "it runs in development mode: cookies are not Secure",
        "Cookies also travel over plain HTTP, and mailed links are in the log.",
        "NODE_ENV=production",
    ),
    Rule(
        lambda seen: seen.refused.status != HTTPStatus.UNAUTHORIZED,
        fault,
        lambda seen: f"{_ME} without a token answers {seen.refused.status} instead of 401",
        "Front-ends do not learn that the user has to sign in.",
        "let the proxy pass 401 on unchanged",
    ),
    Rule(
        lambda seen: "no-store" not in seen.refused.headers.get("Cache-Control", ""),
        fault,
        "Cache-Control: no-store is lost on the way",
        "An answer for one person may be shown to another.",
        "turn off caching of /api/ at the proxy",
    ),
    Rule(
        lambda seen: "X-Content-Type-Options" not in seen.refused.headers,
        hint,
        "the security headers are lost on the way",
        "Browsers are less careful.",
        "let the proxy keep them",
    ),
)
