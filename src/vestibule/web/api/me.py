"""The caller's account, for its user and for a proxy; and the public keys that check access tokens."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.follow_keys import require_fresh_keys
from vestibule.flows.identify import Caller
from vestibule.web.api import answers
from vestibule.web.caller import EnvDep, SignedInCaller
from vestibule.web.errors import Json
from vestibule.web.forward_auth import caller_headers


async def me(caller: SignedInCaller) -> Response:
    """Show who is signed in."""
    return Response(me_content(caller), media_type=Json.media_type)


async def verify(request: Request, caller: SignedInCaller) -> Response:
    """Tell a reverse proxy whether the request is signed in, and by whom, in headers and without a body."""
    return Response(status_code=204, headers=caller_headers(caller, request.headers.raw))


async def jwks(env: EnvDep) -> Response:
    """Return the public keys that check access tokens."""
    await require_fresh_keys(env)
    lifetime = int(env.policy.published_keys_lifetime.total_seconds())
    return Json(env.keys.access.published(), headers={"Cache-Control": f"public, max-age={lifetime}"})


def me_content(caller: Caller) -> bytes:
    """Return the JSON body of `me`. The fast path sends the same bytes."""
    user = answers.shown_user(caller.account)
    if caller.actor_id is None:
        data = answers.UserData(user=user)
    else:
        data = answers.ActingData(user=user, actor=answers.Actor(id=caller.actor_id))
    return answers.Me(data=data).model_dump_json(by_alias=True).encode() + Json.end
