"""The account that is asking, and whether the server is there at all."""

from starlette.responses import Response

from vestibule.web.api import answers
from vestibule.web.caller import InEnv, SignedInCaller
from vestibule.web.errors import Json


async def me(caller: SignedInCaller) -> Response:
    """Who is signed in."""
    data = answers.UserData(user=answers.PublicUser.of(caller.account))
    return Json(answers.Me(data=data).model_dump(mode="json", by_alias=True))


async def healthchecker() -> Response:
    """Whether the process answers."""
    return Json({"status": "success", "message": "Vestibule is open"})


async def jwks(env: InEnv) -> Response:
    """The public keys that check access tokens."""
    return Json(env.keys.access.published(), headers={"Cache-Control": "public, max-age=300"})
