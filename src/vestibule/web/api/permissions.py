"""What each role permits, as one signed document for services."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.follow_roles import publish_permissions
from vestibule.protocol.permissions import MEDIA_TYPE
from vestibule.web.caller import EnvDep

_CACHING = "public, max-age=10"


async def permissions(request: Request, env: EnvDep) -> Response:
    """What each role permits: a JWT of the type `vestibule-permissions+jwt`, signed as access tokens are. 304 without a
    body for a current `If-None-Match`.
    """
    signed = await publish_permissions(env)
    # Weak (RFC 9110, section 8.8.1): two processes sign the same permissions at different times.
    etag = f'W/"{signed.permissions.version}.{signed.key_id}"'
    headers = {"ETag": etag, "Cache-Control": _CACHING}
    asked = {each.strip() for each in request.headers.get("If-None-Match", "").split(",")}
    if etag in asked:
        return Response(status_code=304, headers=headers)
    return Response(signed.text, media_type=MEDIA_TYPE, headers=headers)
