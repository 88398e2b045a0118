"""Makes the test vectors anew, with a key that is thrown away: `python -m tests.unit.protocol.vectors`."""

import json
from pathlib import Path
from typing import Any

from tests.stories.hostile.forgery import Good
from tests.stories.hostile.tokens import hostile_tokens
from vestibule.crypto import jwk, jws
from vestibule.crypto.jwk import PrivateKey
from vestibule.flows.feed_services import FeedEvent, Heartbeat, Hello
from vestibule.model.revocations import Notice, RevocationKind
from vestibule.web.api.services import as_event

FOLDER = Path(__file__).parents[3] / "docs" / "protocol"
NOW = 1_800_000_000
CURSOR = "41-a7c01d3e"
CLAIMS: dict[str, Any] = {
    "iss": "vestibule",
    "aud": "vestibule",
    "sub": "8f14e45f-ceea-467f-a3a0-6c2d5e1f4b7a",
    "sid": "c9f0f895-fb98-4b91-9d3c-0a1b2c3d4e5f",
    "jti": "45c48cce-2e2d-4bb1-8a1b-7d6e5f4a3b2c",
    "iat": NOW,
    "exp": NOW + 900,
    "role": "user",
}
GOOD: dict[str, dict[str, Any]] = {
    "a good token": {},
    "of an admin": {"role": "admin"},
    "issued within the leeway of tomorrow": {"iat": NOW + 29, "exp": NOW + 929},
    "expired within the leeway": {"iat": NOW - 900, "exp": NOW - 29},
    "of two factors": {"amr": ["pwd", "otp", "mfa"], "acr": "urn:vestibule:2", "auth_time": NOW - 60},
    "of a level that is not known": {"acr": "urn:vestibule:9"},
    "of a passkey": {"amr": ["hwk", "user", "mfa"], "acr": "urn:vestibule:3", "auth_time": NOW},
}
BAD: dict[str, dict[str, Any]] = {
    "expired": {"iat": NOW - 930, "exp": NOW - 30},
    "not yet": {"iat": NOW + 31, "exp": NOW + 931},
    "good for too long": {"exp": NOW + 3601},
    "of another issuer": {"iss": "another"},
    "for somebody else": {"aud": "another"},
    "for several": {"aud": ["vestibule"]},
    "without a session": {"sid": ""},
    "methods that are no list": {"amr": "pwd"},
    "a level that is no string": {"acr": 2},
    "a time of sign-in that is no number": {"auth_time": "yesterday"},
}
PERMISSIONS_TYP = "vestibule-permissions+jwt"
PERMISSIONS_ACCEPTED = {"a good document", "with a claim that is not known"}
EVERY_NTH_HOSTILE = 9
MAX_CHARACTERS = 1500


def tokens() -> dict[str, Any]:
    """`tokens.json`."""
    key = jwk.generate(2048)
    table = [
        *({"name": name, "token": _signed(key, changed), **_accepted(changed)} for name, changed in GOOD.items()),
        *({"name": name, "token": _signed(key, changed), "accepted": False} for name, changed in BAD.items()),
    ]
    hostile = list(hostile_tokens(Good(key, "at+jwt", CLAIMS), "http://127.0.0.1:1").items())[::EVERY_NTH_HOSTILE]
    table += [
        {"name": name, "token": token, "accepted": False}
        for name, token in hostile
        if "role" not in name and token.isascii() and len(token) <= MAX_CHARACTERS
    ]
    jwks = {"keys": [key.public.as_jwk()]}
    return {"issuer": "vestibule", "audience": "vestibule", "leeway": 30, "now": NOW, "jwks": jwks, "tokens": table}


def permissions() -> dict[str, Any]:
    """`permissions.json`: documents with what becomes of each, and what callers may do by the last one accepted."""
    key, other = jwk.generate(2048), jwk.generate(2048)
    said = {"admin": ["people:read"], "user": [], "billing": ["invoices:read", "invoices:write"], "none": []}
    good = {"iss": "vestibule", "iat": NOW, "version": "0c5d9a3b", "roles": said}
    documents = [
        ("a good document", good, key, PERMISSIONS_TYP),
        ("with a claim that is not known", {**good, "exp": NOW - 1}, key, PERMISSIONS_TYP),
        ("of another issuer", {**good, "iss": "another"}, key, PERMISSIONS_TYP),
        ("with the type of an access token", good, key, "at+jwt"),
        ("signed by another key", good, other, PERMISSIONS_TYP),
        ("without roles", {**good, "roles": None}, key, PERMISSIONS_TYP),
        ("with permissions that are no list", {**good, "roles": {"user": "a:b"}}, key, PERMISSIONS_TYP),
        ("without a version", {**good, "version": ""}, key, PERMISSIONS_TYP),
        ("signed at no time", {name: good[name] for name in good if name != "iat"}, key, PERMISSIONS_TYP),
    ]
    questions = [
        ("user", ["billing"], "invoices:write", True),
        ("user", [], "invoices:write", False),
        ("user", ["none", "billing"], "invoices:read", True),
        ("user", ["deleted"], "invoices:read", False),
        ("admin", [], "people:read", True),
        ("billing", [], "invoices", False),
    ]
    return {
        "issuer": "vestibule",
        "jwks": {"keys": [key.public.as_jwk()]},
        "documents": [
            {"name": name, "document": jws.sign(claims, by, typ), "accepted": name in PERMISSIONS_ACCEPTED}
            for name, claims, by, typ in documents
        ],
        "questions": [
            {"role": role, "roles": roles, "permission": permission, "permitted": permitted}
            for role, roles, permission, permitted in questions
        ],
    }


def feed() -> dict[str, Any]:
    """`feed.json`. `at` and `sent_at` are seconds on the service's clock. Both wall clocks show `now` when it is 0."""
    session, other = CLAIMS["sid"], "d3d94468-02a4-4259-b55d-38e6d163e820"
    account = CLAIMS["sub"]
    hello, beat = Hello(500.0, whole=True), Heartbeat(499.5, CURSOR)
    ended = [Notice(RevocationKind.SESSION, session, 960)]
    disabled = [Notice(RevocationKind.ACCOUNT, account, 960, NOW)]
    listing = Heartbeat(499.5, CURSOR, ("held",), NOW - 500.0, 499.4)
    new = Heartbeat(500.5, CURSOR, ("held", "new"), NOW - 500.0, 500.4)
    withdrawn = Heartbeat(501.5, CURSOR, ("new",), NOW - 500.0, 501.4)
    return {
        "staleness": 5,
        "now": NOW,
        "cases": [
            _case("nothing is revoked", [(0.1, [hello, beat])], [(0.2, other, NOW, "in"), (4.4, other, NOW, "in")]),
            _case("stale after the bound", [(0.1, [hello, beat])], [(4.6, other, NOW, "stale")]),
            _case("before the first heartbeat", [(0.1, [hello, ended])], [(0.2, other, NOW, "stale")]),
            _case(
                "a session that was ended",
                [(0.1, [hello, beat]), (0.5, [ended])],
                [(0.4, session, NOW, "in"), (0.6, session, NOW, "over"), (0.6, other, NOW, "in")],
            ),
            _case("over, however stale", [(0.1, [hello, ended, beat])], [(60.0, session, NOW, "over")]),
            _case(
                "an account up to a moment",
                [(0.1, [hello, disabled, beat])],
                [(0.2, other, NOW - 1, "over"), (0.2, other, NOW, "in")],
            ),
            _case(
                "a stream that was held up and let go",
                [(0.1, [hello, beat]), (9.0, [Heartbeat(501.5, CURSOR)]), (9.0, [Heartbeat(503.5, CURSOR)])],
                [(9.1, other, NOW, "stale")],
            ),
            _case(
                "a process that cannot read its own record",
                [(0.1, [hello, beat]), (2.0, [beat]), (4.0, [beat])],
                [(4.6, other, NOW, "stale")],
            ),
            _case(
                "keys that are not held",
                [(0.1, [hello, listing]), (1.0, [new]), (2.0, [withdrawn])],
                [
                    (0.2, "invented", NOW - 60, "invalid"),
                    (0.2, "invented", NOW, "unknown"),
                    (1.1, "new", NOW - 60, "unknown"),
                    (2.1, "held", NOW + 1, "invalid"),
                ],
            ),
            _polled(),
            *_lagging(),
            *_stored(),
            _case(
                "the issuer and the audience that are expected",
                [(0.1, [Hello(500.0, whole=True, issuer="vestibule", audience="vestibule"), beat])],
                [(0.2, other, NOW, "in")],
            ),
            *(
                _case(f"another {name}: nothing of it is believed", [(0.1, [said, beat])], [(0.2, other, NOW, "stale")])
                for name, said in (
                    ("issuer", Hello(500.0, whole=True, issuer="another", audience="vestibule")),
                    ("audience", Hello(500.0, whole=True, issuer="vestibule", audience="another")),
                )
            ),
        ],
    }


def _polled() -> dict[str, Any]:
    """The same feed, asked for again and again. A second answer may come from another process, with another clock."""
    session, other = CLAIMS["sid"], "d3d94468-02a4-4259-b55d-38e6d163e820"
    ended = [Notice(RevocationKind.SESSION, session, 960)]
    first: list[FeedEvent] = [Hello(500.0, whole=True), Heartbeat(499.5, CURSOR)]
    second: list[FeedEvent] = [Hello(90.0, whole=False), ended, Heartbeat(89.7, CURSOR)]
    asked = [
        (0.9, session, NOW, "in"),
        (3.1, session, NOW, "over"),
        (5.6, other, NOW, "in"),
        (5.8, other, NOW, "stale"),
    ]
    case = _case("polled", [], asked)
    case["polls"] = [_answer(0.0, 0.1, first), _answer(1.0, 3.0, second)]
    return case


def _lagging() -> list[dict[str, Any]]:
    """Another process answers the second poll, and lags behind: by its record, or by its keys alone."""
    first: list[FeedEvent] = [Hello(500.0, whole=True), Heartbeat(499.9, CURSOR, ("new",), NOW - 500.0, 499.8)]
    asked = [(at, kid, NOW - 60, outcome) for at in (0.2, 2.2) for kid, outcome in OF_LAGGING.items()]
    cases = []
    for which, true_at, clock in (("its record", 88.0, NOW - 700.0), ("its keys", 90.9, NOW - 89.0)):
        second: list[FeedEvent] = [Hello(91.0, whole=True), Heartbeat(true_at, CURSOR, ("held",), clock, 88.0)]
        case = _case(f"a process that lags behind with {which}", [], asked)
        case["polls"] = [_answer(0.0, 0.1, first), _answer(2.0, 2.1, second)]
        cases.append(case)
    return cases


def _stored() -> list[dict[str, Any]]:
    """An answer that a cache had kept, which the greeting or `Age` tells: it leaves the service as stale as it was."""
    told: list[FeedEvent] = [Hello(500.0, whole=True), Heartbeat(499.5, CURSOR)]
    other, nonces = "d3d94468-02a4-4259-b55d-38e6d163e820", ("8c4f_-", "2b7e_-")
    cases = []
    for name, echo, headers in (
        ("an answer of Vestibule's own", nonces[1], {"Age": "0"}),
        ("an answer to another request", nonces[0], {}),
        ("an answer without the nonce", "", {}),
        ("an answer that Age says was kept", nonces[1], {"Age": "1"}),
    ):
        at_last = "in" if echo == nonces[1] and headers["Age"] == "0" else "stale"
        asked = [(4.4, other, NOW, "in"), (6.0, other, NOW, at_last)]
        streamed = _case(f"{name}: streamed", [(5.1, told)], asked[1:], nonce=echo)
        polled = _case(f"{name}: polled", [], asked)
        streamed |= {"sent_at": 5.0, "nonce": nonces[1], "headers": headers}
        first, second = _answer(0.0, 0.1, told, nonces[0]), _answer(5.0, 5.1, told, echo)
        polled["polls"] = [first | {"nonce": nonces[0]}, second | {"nonce": nonces[1], "headers": headers}]
        cases += [streamed, polled]
    return cases


def _answer(sent_at: float, at: float, told: list[FeedEvent], nonce: str = "") -> dict[str, Any]:
    return {"sent_at": sent_at, "at": at, "text": "".join(as_event(one, nonce) for one in told)}


OF_LAGGING = {"held": "invalid", "new": "unknown"}
Heard = list[tuple[float, list[FeedEvent]]]
Asked = list[tuple[float, str, int, str]]
OF_KEYS = {"invalid", "unknown"}


def _case(name: str, heard: Heard, asked: Asked, nonce: str = "") -> dict[str, Any]:
    return {
        "name": name,
        "sent_at": 0.0,
        "stream": [{"at": at, "text": "".join(as_event(one, nonce) for one in told)} for at, told in heard],
        "checks": [
            {
                "at": at,
                "sub": CLAIMS["sub"],
                "kid" if outcome in OF_KEYS else "sid": which,
                "iat": iat,
                "outcome": outcome,
            }
            for at, which, iat, outcome in asked
        ],
    }


def _accepted(changed: dict[str, Any]) -> dict[str, Any]:
    """What becomes of a good token: `auth_time` is 0 where it is not known."""
    acr = changed.get("acr", "")
    level = int(acr[-1]) if acr in {"urn:vestibule:2", "urn:vestibule:3"} else 1
    return {"accepted": True, "level": level, "auth_time": changed.get("auth_time", 0)}


def _signed(key: PrivateKey, changed: dict[str, Any]) -> str:
    good = Good(key, "at+jwt", CLAIMS | changed)
    return good.token(good.header)


def main() -> None:
    """Write all."""
    for name, vectors in (("tokens", tokens()), ("feed", feed()), ("permissions", permissions())):
        (FOLDER / f"{name}.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main()
