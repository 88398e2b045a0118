"""Health checks: the contract's, and two for load balancers and orchestrators: liveness and readiness."""

from starlette.responses import Response

from vestibule.flows.be_ready import require_ready
from vestibule.web.caller import EnvDep
from vestibule.web.errors import Json


async def healthchecker() -> Response:
    """Tell whether the process answers."""
    return Json({"status": "success", "message": "Vestibule is open"})


async def live() -> Response:
    """Tell whether the process answers at all; if not, restart it. Does not depend on the database."""
    return Json({"status": "success", "message": "Vestibule is alive"})


async def ready(env: EnvDep) -> Response:
    """Tell whether to send requests to this process. The answer is no while the process stops, while the schema is
    another version's, or when the database has been away for longer than VESTIBULE_REVOCATION_STALENESS_SECONDS. Only
    the log says which of the three it is.
    """
    require_ready(env)
    return Json({"status": "success", "message": "Vestibule is ready"})
