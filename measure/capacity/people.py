"""Pick people of a filled database, and make their requests. Nobody is picked twice, so that no server
remembers them.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import count

from measure.capacity.fill import SESSION_EVERY, account_id_of, email_of, session_id_of
from measure.scripts import Tokens
from measure.wire import request
from tests.harness.process import PASSWORD
from tests.harness.world import given_key_ring
from vestibule.crypto import jws
from vestibule.crypto.entropy import new_id
from vestibule.model import access_tokens, refresh_tokens
from vestibule.model.access_tokens import Issuer
from vestibule.model.accounts import Role
from vestibule.model.clock import SystemClock
from vestibule.protocol.access_tokens import AccessToken

_ISSUER = Issuer("vestibule", "vestibule", timedelta(seconds=30))
_STRIDE = 7_368_787  # a prime: steps of it visit every number once, far from the one before


class People:
    """The people of a database that grows. `accounts` is their number now. No session is picked again at a
    later size.
    """

    def __init__(self) -> None:
        self.accounts = 0
        self._turns = count(1)
        self._picked: set[int] = set()

    def sign_ins(self) -> Iterator[bytes]:
        """Yield requests to sign in, each of another person."""
        for turn in self._turns:
            number = turn * _STRIDE % self.accounts + 1
            yield request("POST", "/api/auth/login", body={"email": email_of(number), "password": PASSWORD})

    def numbers(self, most: int) -> list[int]:
        """Return the numbers of `most` people from all over the database."""
        return [next(self._turns) * _STRIDE % self.accounts + 1 for _ in range(most)]

    def tokens(self, most: int) -> list[Tokens]:
        """Return the tokens of `most` live sessions, none of which was picked before."""
        return [_tokens(self._session() * SESSION_EVERY) for _ in range(most)]

    def _session(self) -> int:
        sessions = self.accounts // SESSION_EVERY
        number = next(n for n in (turn * _STRIDE % sessions + 1 for turn in self._turns) if n not in self._picked)
        self._picked.add(number)
        return number


def _tokens(number: int) -> Tokens:
    """Return the tokens of a session as the server would sign them, with the keys that it was started with."""
    now = SystemClock().now()
    keys, session = given_key_ring(), session_id_of(number)
    access = AccessToken(
        new_id(), account_id_of(number), session, Role.USER, int(now.timestamp()), int(now.timestamp()) + 900
    )
    claims = {
        "iss": _ISSUER.name,
        "aud": _ISSUER.refresh_expected.audience,
        "sid": session,
        "n": 1,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(hours=1)).timestamp()),
    }
    refresh = jws.sign(claims, keys.refresh.signing, refresh_tokens.TYP)
    return Tokens(access_tokens.sign(access, _ISSUER, keys.access), refresh)
