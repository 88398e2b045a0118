"""A pytest plugin: signed-in callers for a project's own tests, without a server.

    pytest_plugins = ["vestibule.client.testing"]

    def test_orders(client, vestibule):
        token = vestibule.token_for("ada", role="admin")
        assert client.get("/orders", headers=vestibule.headers(token)).status_code == 200
        vestibule.revoke(token)
        assert client.get("/orders", headers=vestibule.headers(token)).status_code == 401

While a test uses the fixture, every `Verifier` of the process accepts the tokens that the fixture makes, and no others,
and `GET /api/users/me` of an httpx client with such a token tells its user. Ask for the fixture before the application
starts: a `client` fixture that enters a lifespan takes `vestibule` as its argument.
Nothing else turns this on: no setting, no variable, no argument. Outside a running test the fixture raises.
"""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from vestibule.client import arguments, requirements
from vestibule.client.caller import Caller
from vestibule.client.memory import Memory
from vestibule.client.testing_http import answer_profiles
from vestibule.client.token_clock import LEEWAY_SECONDS
from vestibule.client.verifier import Verifier
from vestibule.crypto import jwk, jws
from vestibule.crypto.entropy import new_id
from vestibule.crypto.jwk import PrivateKey
from vestibule.model.clock import Clock, SystemClock
from vestibule.protocol import access_tokens
from vestibule.protocol.access_tokens import AccessToken
from vestibule.protocol.authentication import Level, Method
from vestibule.protocol.claims import Expected
from vestibule.protocol.permissions import Permissions

_LIFETIME_SECONDS = 900
_DAY_SECONDS = 86_400
_FOR_EVER = float("inf")
_BITS = 2048  # of the RSA key
_REMEMBERED = 1000  # tokens
_STALENESS_SECONDS = 5.0
_NO_PERMISSIONS = {role: frozenset[str]() for role in ("admin", "helper", "auditor", "user")}
_METHODS = {
    Level.ONE_FACTOR: (Method.PASSWORD,),
    Level.TWO_FACTORS: (Method.PASSWORD, Method.ONE_TIME_CODE, Method.MORE_THAN_ONE_FACTOR),
    Level.PHISHING_RESISTANT: (Method.HARDWARE_KEY, Method.USER_PRESENT, Method.MORE_THAN_ONE_FACTOR),
}


class NotInTestError(RuntimeError):
    """The fixture was requested outside a running test."""


@dataclass(frozen=True)
class SignedIn:
    """Makes signed-in callers for a test, and revokes them."""

    memory: Memory
    key: PrivateKey
    clock: Clock
    expected: Expected
    made: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """The claims of each token that was made."""
    expired: dict[str, str] = field(default_factory=dict)
    """For each token that was made to expire, the one of yesterday that stands for it."""
    emails: dict[str, str] = field(default_factory=dict)
    """The email of each token's user, which `GET /api/users/me` tells."""

    def token_for(
        self,
        user: str,
        role: str = "user",
        *,
        session: str | None = None,
        email_verified: bool = False,
        level: int = 1,
        authenticated_at: int | None = None,
        custom_roles: Collection[str] = (),
        actor: str | None = None,
        claims: Mapping[str, Any] | None = None,
        email: str | None = None,
    ) -> str:
        """Return an access token of `user`, in a new session unless one is given.

        `level` and `authenticated_at` (seconds since 1970, now unless it is given) say how and when the user signed in.
        `custom_roles` are roles that operators made: `define_role` says what they permit.
        With `actor`, an account id, an operator acts as the user: then nobody has signed in, and both are left out.
        `claims` are added to the usual ones, or replace them: `{"aud": "another"}` makes a token that is refused.
        `email` is what `GET /api/users/me` tells; unless it is given, `user` at example.com.
        """
        given = {name: value for name, value in (("session", session), ("email", email)) if value is not None}
        for name, value in {"user": user, "role": role, **given}.items():
            arguments.string(name, value)
        if actor is not None:
            arguments.string("actor", actor)
            level, authenticated_at = 1, 0
        added = {} if claims is None else arguments.having("claims", claims, "keys", "__getitem__")
        arguments.flag("email_verified", email_verified)
        now = int(self.clock.now().timestamp())
        reached = Level(arguments.whole("level", level, min(Level), max(Level)))
        token = AccessToken(
            new_id(),
            user,
            session or new_id(),
            role,
            now,
            now + _LIFETIME_SECONDS,
            email_verified,
            _METHODS[reached] if actor is None else (),
            reached,
            now
            if authenticated_at is None
            else arguments.whole("authenticated_at", authenticated_at, 0, now + _DAY_SECONDS),
            tuple(arguments.string("custom_roles", name) for name in arguments.listed("custom_roles", custom_roles)),
            actor,
        )
        claims = {**access_tokens.claims_of(token, self.expected), **added}
        signed = self._signed(claims)
        self.made[signed] = claims
        self.emails[signed] = f"{user}@example.com" if email is None else email
        return signed

    def define_role(self, role: str, *permissions: str) -> None:
        """Have a role permit this and nothing else, for callers made before and after. Raises `ValueError` for what
        cannot be a permission.
        """
        demanded = frozenset().union(*(requirements.of_permission(each).permissions for each in permissions))
        book = self.memory.permissions
        known = {} if book.document is None else book.document.roles
        book.learn(Permissions({**known, arguments.string("role", role): demanded}, ""), _FOR_EVER)

    def expire(self, token: str) -> None:
        """Let the token have expired a day ago. Its session goes on: another token of it is accepted."""
        claims = self._claims_of(token)
        self.expired[token] = self._signed({**claims, **{name: claims[name] - _DAY_SECONDS for name in ("iat", "exp")}})

    def revoke(self, token: str) -> None:
        """End the token's session, as signing out does."""
        self.memory.revoked.end_session(self._claims_of(token)["sid"], _FOR_EVER)

    def revoke_all(self, user: str) -> None:
        """End all sessions that the user has by now, as signing out everywhere does. Tokens of new ones are good."""
        arguments.string("user", user)
        for claims in self.made.values():
            if claims["sub"] == user:
                self.memory.revoked.end_session(claims["sid"], _FOR_EVER)

    def make_stale(self) -> None:
        """Make the known revocations stale, as a long outage of Vestibule does."""
        self.memory.revoked.fresh_as_of = -_FOR_EVER

    def headers(self, token: str) -> dict[str, str]:
        """Return the request headers that carry the token."""
        return {"Authorization": f"Bearer {arguments.string('token', token)}"}

    def decide(self, token: str) -> Caller:
        """Return the caller of a token, or raise as a `Verifier` does."""
        return self.memory.decide(self.expired.get(token, token))

    def _claims_of(self, token: str) -> Mapping[str, Any]:
        """Return the claims of a token that was made here; raises `ValueError` for another."""
        if arguments.string("token", token) not in self.made:
            raise ValueError("token: not one that token_for has returned in this test")
        return self.made[token]

    def _signed(self, claims: Mapping[str, Any]) -> str:
        return jws.sign(dict(claims), self.key, access_tokens.TYP)


@pytest.fixture
def vestibule(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> SignedIn:
    """Return a `SignedIn`, which makes callers. Until the test is over, every `Verifier` decides by the memory of this
    `SignedIn`.
    """
    _require_running(request)
    clock, expected = SystemClock(), Expected("vestibule", "vestibule", leeway=LEEWAY_SECONDS)
    memory = Memory(expected, "refuse", _STALENESS_SECONDS, _REMEMBERED, clock)
    key = _key()
    memory.keys, memory.keys_as_of = {key.kid: key.public}, _FOR_EVER  # keys and revocations never get stale
    memory.revoked.fresh_as_of = _FOR_EVER
    memory.permissions.learn(Permissions(_NO_PERMISSIONS, ""), _FOR_EVER)

    signed_in = SignedIn(memory, key, clock, expected)
    monkeypatch.setattr(Verifier, "_decide", lambda _verifier, token: signed_in.decide(token))
    monkeypatch.setattr(Verifier, "start", lambda _verifier: None)  # there is no server, and nothing to hear from it
    monkeypatch.setattr(Verifier, "_may_learn_more", lambda _verifier, _refusal: False)
    answer_profiles(signed_in.emails, signed_in.decide, monkeypatch)
    return signed_in


@cache
def _key() -> PrivateKey:
    """Return a signing key made once for each test run, and stored nowhere."""
    return jwk.generate(_BITS)


def _require_running(request: pytest.FixtureRequest) -> None:
    # pytest sets the variable while it sets up or runs a test, and only pytest makes a `FixtureRequest`.
    if not isinstance(request, pytest.FixtureRequest) or "PYTEST_CURRENT_TEST" not in os.environ:
        raise NotInTestError("vestibule.client.testing works inside a running pytest test only")
