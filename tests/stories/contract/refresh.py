"""Refresh: a new pair for the refresh token, and nobody is signed out who is innocent.

The rows about rotation name the tokens of one session by their counter: `{r1}` came with the sign-in.
"""

from dataclasses import replace
from datetime import timedelta

from tests.harness.world import POLICY
from tests.stories.contract.answers import bodiless, cleared, signed_in, succeeded
from tests.stories.contract.happenings import ada_is_disabled, counters, enters, noted, passing, registered
from tests.stories.contract.register import ME
from tests.stories.contract.sign_in import ADA_IN, NO_REFRESH, OUT, PRODUCTION, WHO, no_refresh, over
from tests.stories.contract.steps import Happening, Row, Send, Setup, Step, bearer, get, head, post

REFRESH = "/api/auth/refresh"
IN = (registered, enters(), noted(r1="refresh_token", access="access_token"))
FIXED = Setup(policy=replace(POLICY, sessions=replace(POLICY.sessions, rotate=False)))
TWO_HOURS = Setup(policy=replace(POLICY, sessions=replace(POLICY.sessions, absolute=timedelta(hours=2))))
LATE = passing(seconds=11)


def with_token(token: str, by: str = "other") -> Send:
    """Somebody comes with just this refresh token."""
    return get(REFRESH, by=by, cookie=f"refresh_token={token}")


def accepted(token: str, by: str, successor: str) -> tuple[Happening, ...]:
    """The token is exchanged for a new one, which is noted."""
    return Step(with_token(token, by), signed_in()), noted(by, **{successor: "refresh_token"})


# The tab's answer to {r1} is lost; it comes back late and gets one more live successor beside {r2}.
ROTATED = (*IN, passing(minutes=1), *accepted("{r1}", "tab", "r2"))
TWO_LIVE = (*ROTATED, LATE, *accepted("{r1}", "other", "r3"))
REUSED = no_refresh("refresh_token_reused")
GONE, DISABLED, IDLE = no_refresh("signed_out"), no_refresh("account_disabled"), no_refresh("idle")
SESSION_IS_OVER = (
    Step(get(WHO), over("refresh_token_reused")),
    Step(bearer(get(WHO, by="nobody"), "{access}"), over("refresh_token_reused")),
    Step(get(REFRESH), REUSED),
)

ROWS = [
    Row("refresh: by GET", get(REFRESH), signed_in(), given=IN, then=(counters(1, 1, 2), Step(get(WHO), ME))),
    Row("refresh: by POST", post(REFRESH), signed_in(), given=IN, then=(counters(1, 1, 2), Step(get(WHO), ME))),
    Row("refresh: with a query and a slash", get(f"{REFRESH}/?x=1"), signed_in(), given=IN),
    Row("refresh: in production", with_token("{r1}"), signed_in(secure=True), given=IN, under=PRODUCTION),
    Row(
        "refresh: HEAD rotates nothing",
        head(REFRESH),
        bodiless(succeeded()),
        given=IN,
        then=(counters(0, 0, 1), Step(get(REFRESH), signed_in()), counters(1, 1, 2)),
    ),
    Row("refresh: the access token has expired", get(REFRESH), signed_in(), given=(*IN, passing(minutes=20))),
    Row("refresh: the old access token stays", with_token("{r1}"), signed_in(), given=IN, then=(Step(get(WHO), ME),)),
    Row("refresh: after the logout", with_token("{refresh}"), GONE, given=(*ADA_IN, Step(get(OUT), cleared()))),
    Row("refresh: of an account that is disabled", get(REFRESH), DISABLED, given=(*IN, ada_is_disabled)),
    Row("refresh: 60 minutes unused", get(REFRESH), IDLE, given=(*IN, passing(minutes=60))),
    Row("refresh: a day unused, and still told why", get(REFRESH), IDLE, given=(*IN, passing(hours=24))),
    Row(
        "refresh: within 60 minutes, and again, and again",
        get(REFRESH),
        signed_in(),
        given=(*IN, passing(minutes=59, seconds=59)),
        then=(
            passing(minutes=59),
            Step(get(REFRESH), signed_in()),
            passing(minutes=59),
            Step(get(REFRESH), signed_in()),
        ),
    ),
    Row(
        "refresh: the absolute end comes, however busy the session is",
        get(REFRESH),
        signed_in(refresh_seconds=20 * 60),
        given=(*IN, passing(minutes=50), Step(get(REFRESH), signed_in()), passing(minutes=50)),
        under=TWO_HOURS,
        then=(passing(minutes=20), Step(get(REFRESH), no_refresh("expired"))),
    ),
    Row(
        "refresh: rotation off",
        get(REFRESH),
        signed_in(refresh=None),
        given=IN,
        under=FIXED,
        then=(LATE, Step(get(REFRESH), signed_in(refresh=None)), counters(0, 0, 1), Step(get(WHO), ME)),
    ),
    Row(
        "rotation: a tab that raced gets the very same successor",
        with_token("{r1}"),
        signed_in(refresh="{r2}", refresh_seconds=3590),
        given=(*ROTATED, passing(seconds=10)),
        then=(counters(1, 1, 2), Step(get(WHO, by="other"), ME), Step(get(REFRESH), signed_in())),
    ),
    Row(
        "rotation: at once, as tabs do",
        with_token("{r1}"),
        signed_in(refresh="{r2}"),
        given=ROTATED,
        then=(Step(with_token("{r1}", by="third"), signed_in(refresh="{r2}")), counters(1, 1, 2)),
    ),
    Row(
        "rotation: who comes later gets one more successor",
        with_token("{r1}"),
        signed_in(),
        given=(*ROTATED, LATE),
        then=(counters(1, 1, 3), Step(get(WHO), ME), Step(get(WHO, by="other"), ME)),
    ),
    Row(
        "rotation: the first of two live successors wins",
        with_token("{r2}"),
        signed_in(),
        given=TWO_LIVE,
        then=(counters(2, 3, 4), Step(get(WHO), ME)),
    ),
    Row("rotation: or the second", with_token("{r3}"), signed_in(), given=TWO_LIVE, then=(counters(3, 3, 4),)),
    Row(
        "rotation: the sibling of the one that was used ends the session",
        with_token("{r3}"),
        REUSED,
        given=(*TWO_LIVE, *accepted("{r2}", "tab", "r4")),
        then=(*SESSION_IS_OVER, Step(with_token("{r4}"), REUSED)),
    ),
    Row(
        "rotation: a token older than the last one accepted ends the session",
        with_token("{r1}"),
        REUSED,
        given=(*ROTATED, passing(minutes=1), *accepted("{r2}", "tab", "r3")),
        then=(*SESSION_IS_OVER, Step(with_token("{r3}"), REUSED)),
    ),
    Row(
        "rotation: 16 live successors at most",
        with_token("{r1}"),
        REUSED,
        given=(*ROTATED, *(LATE, Step(with_token("{r1}"), signed_in())) * 15, counters(1, 1, 17), LATE),
        then=SESSION_IS_OVER,
    ),
    Row(
        "rotation: a stolen token ends this session only",
        with_token("{r1}", by="thief"),
        REUSED,
        given=(*ROTATED, *accepted("{r2}", "tab", "r3"), enters("phone")),
        then=(*SESSION_IS_OVER, Step(get(WHO, by="phone"), ME)),
    ),
]

FORGERIES = ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzaWQiOiIxIn0.", "A" * 9000, "{refresh}A", "{access}", "%00"]
HARMLESS = [
    Row("refresh: no cookie", get(REFRESH), NO_REFRESH),
    Row("refresh: no cookie, by POST", post(REFRESH), NO_REFRESH),
    Row("refresh: an empty cookie", get(REFRESH, cookie="refresh_token="), NO_REFRESH),
    Row("refresh: not by Bearer", bearer(get(REFRESH), "{refresh}"), NO_REFRESH),
    Row("refresh: two of them", with_token("{refresh}; refresh_token={access}"), NO_REFRESH),
    *(Row(f"refresh: {token[:30]!r} is no refresh token", with_token(token), NO_REFRESH) for token in FORGERIES),
]
