"""One table: a row for each face that checks tokens, a column for each promise about tokens, cookies and revocations.

The rows are the server's own API and every framework of the kit. All of them are given tokens by the same key, and each
promise is tried on all, because each reads requests in its own way.
"""

from collections.abc import Awaitable, Callable

import pytest

from tests.stories.hostile.tokens import hostile_tokens
from tests.unit.client.faces import (
    FACES,
    INVALID,
    NOBODY,
    OVER,
    PATHS,
    SIGNING,
    Face,
    Server,
    bearer,
    cookie,
    face,
    good,
    let_in,
    refused,
    token,
)
from vestibule.crypto import jwk

__all__ = ["face"]
EVERY_NTH_HOSTILE = 9
Promise = Callable[[Face], Awaitable[None]]
PROMISES: dict[str, Promise] = {}


def promise(made: Promise) -> Promise:
    """One column."""
    PROMISES[made.__name__] = made
    return made


@promise
async def a_good_token_is_the_caller_by_header_and_by_cookie(face: Face) -> None:
    text = token(face)
    await let_in(face, bearer(text))
    await let_in(face, cookie(f"access_token={text}"))
    await let_in(face, {"Authorization": f"bearer\t {text} "})


@promise
async def nobody_comes_after_somebody(face: Face) -> None:
    """K3: the next request of the same client, thread and application is nobody's."""
    await let_in(face, bearer(token(face)))
    answer = await refused(face, {}, NOBODY)
    assert answer.headers["www-authenticate"] == 'Bearer realm="vestibule"'


@promise
async def a_bad_token_is_refused_in_the_same_words(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    for wrong in (
        {"exp": now - 31, "iat": now - 900},
        {"iat": now + 31, "exp": now + 931},
        {"nbf": now + 31},
        {"nbf": "soon"},
        {"exp": now + 3601},
        {"iss": "another"},
        {"aud": ["vestibule"]},
        {"sid": ""},
        {"email_verified": "yes"},
    ):
        answer = await refused(face, bearer(token(face, **wrong)), INVALID)
        assert answer.headers["www-authenticate"] == 'Bearer realm="vestibule", error="invalid_token"'


@promise
async def no_hostile_token_is_taken(face: Face) -> None:
    table = hostile_tokens(good(face), "http://127.0.0.1:1")
    sendable = {
        name: text for name, text in table.items() if text.isprintable() and text.isascii() and len(text) < 4000
    }
    for name, text in list(sendable.items())[::EVERY_NTH_HOSTILE]:
        if "role" not in name and "," not in text:  # which WSGI could not tell from two headers
            answer = await face.ask("GET", bearer(text))
            assert answer.status_code == 401, name


@promise
async def not_before_is_kept_by_memory_too(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    early = token(face, nbf=now + 40)
    await refused(face, bearer(early), INVALID)
    face.clock.advance(seconds=10)
    face.hear()
    await let_in(face, bearer(early))
    face.clock.advance(seconds=-10)
    await refused(face, bearer(early), INVALID)


@promise
async def a_token_that_is_remembered_ends_when_it_says(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    short = token(face, exp=now + 60)
    await let_in(face, bearer(short))
    face.clock.advance(seconds=89)
    face.hear()
    await let_in(face, bearer(short))
    face.clock.advance(seconds=1)
    face.hear()
    await refused(face, bearer(short), INVALID)


@promise
async def a_session_that_ended_is_refused_however_well_it_is_remembered(face: Face) -> None:
    text = token(face)
    await let_in(face, bearer(text))
    face.end_session()
    answer = await refused(face, bearer(text), OVER)
    assert answer.headers["www-authenticate"] == 'Bearer realm="vestibule", error="invalid_token"'
    await refused(face, cookie(f"access_token={text}"), OVER)
    await refused(face, bearer(token(face, jti="j2")), OVER)


@promise
async def an_account_is_refused_up_to_a_moment(face: Face) -> None:
    now = int(face.clock.now().timestamp())
    text = token(face, iat=now - 10)
    await let_in(face, bearer(text))
    face.end_account(now)
    await refused(face, bearer(text), OVER)
    await let_in(face, bearer(token(face, iat=now)))


@promise
async def a_withdrawn_key_vouches_for_nothing(face: Face) -> None:
    """K2: not from memory either."""
    text = token(face)
    await let_in(face, bearer(text))
    face.withdraw_keys()
    await refused(face, bearer(text), INVALID)


@promise
async def a_key_that_the_feed_stops_to_list_vouches_for_nothing(face: Face) -> None:
    """K8: at once, without a fetch; and where nothing is known of any key, it is not known who is calling."""
    text, heard = token(face), jwk.generate(algorithm="ES256").public
    face.keep_also(heard)
    await let_in(face, bearer(text))
    face.list_keys(SIGNING.kid, heard.kid)
    await let_in(face, bearer(text))
    face.list_keys(heard.kid)
    await refused(face, bearer(text), INVALID)
    await refused(face, cookie(f"access_token={text}"), INVALID)
    await refused(face, bearer(token(face, jti="j2")), INVALID)


@promise
async def two_cookies_are_none(face: Face) -> None:
    mine, his = token(face), token(face, jti="j2")
    for pairs in ((f"access_token={mine}", f"access_token={his}"), (f"access_token={his}", f"access_token={mine}")):
        await refused(face, cookie(*pairs), NOBODY)
    await let_in(face, cookie(f"access_token={mine}", f"access_token={mine}"))


@promise
async def what_else_is_in_the_cookie_header_does_not_matter(face: Face) -> None:
    text = token(face)
    for other in (
        'broken="',
        "a b=c d",
        "=",
        "{}",
        "nothing",
        'q="\\"; x',
        "[]=1",
        "access_token",
        "ACCESS_TOKEN=x",
    ):
        for pairs in ((other, f"access_token={text}"), (f"access_token={text}", other)):
            header = "; ".join(pairs).encode("latin-1")
            await let_in(face, [(b"Cookie", header)])
    await refused(face, cookie(f'access_token="{text}"'), INVALID)
    await refused(face, cookie(f"__Host-access_token={text}"), NOBODY)


@promise
async def the_header_goes_first_and_there_is_one(face: Face) -> None:
    text = token(face)
    by_cookie = cookie(f"access_token={text}")
    await refused(face, {**by_cookie, **bearer("x.y.z")}, INVALID)
    await refused(face, {**by_cookie, "Authorization": "Bearer "}, NOBODY)
    await let_in(face, {**by_cookie, "Authorization": "Basic YTpi"})
    twice = [(b"Authorization", f"Bearer {text}".encode())] * 2
    await refused(face, twice, "ambiguous_credential", status=400)


@pytest.mark.parametrize("kept", PROMISES.values(), ids=PROMISES)
@pytest.mark.parametrize("face", FACES, indirect=True)
async def test_k1_every_promise_is_kept_by_every_face(face: Face, kept: Promise) -> None:
    """K1, K2, K3, K8, T5, T6, T9, T13, T15, S5: all of them, at the server and in every framework."""
    await kept(face)


@pytest.mark.parametrize("face", PATHS, indirect=True)
async def test_a_live_session_with_another_account_is_refused_each_time(face: Server) -> None:
    """By memory too, where both the token and the session are known."""
    await let_in(face, bearer(token(face)))
    strange = bearer(token(face, sub="c9f0f895-fb98-4b91-9d3c-000000000000"))
    for _ in range(3):
        await refused(face, strange, OVER)
    await let_in(face, bearer(token(face)))
