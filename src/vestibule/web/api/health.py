"""Health checks: the contract's one, and for operators whether the process lives and whether it is ready."""

from starlette.responses import Response

from vestibule.flows.be_ready import require_ready
from vestibule.web.caller import InEnv
from vestibule.web.errors import Json


async def healthchecker() -> Response:
    """Whether the process answers."""
    return Json({"status": "success", "message": "Vestibule is open"})


async def live() -> Response:
    """Whether the process answers at all; if not, start it anew. Does not depend on the database."""
    return Json({"status": "success", "message": "Vestibule lives"})


async def ready(env: InEnv) -> Response:
    """Whether to send requests here. Not while the process stops, while the schema is another version's, or when the
    database has been away for longer than VESTIBULE_REVOCATION_STALENESS_SECONDS. Never says which: the log does.
    """
    require_ready(env)
    return Json({"status": "success", "message": "Vestibule is ready"})
