"""The server's process with traces: `app`, inside a layer that traces requests. Needs the extra `traces`.

`vestibule serve` loads this module if VESTIBULE_TRACES is on, and `app` otherwise, so that a server without traces does
not load OpenTelemetry. Other ASGI servers name `vestibule.wiring.traced:application`.
"""

from starlette.types import ASGIApp, Scope

from vestibule import app
from vestibule.doctor.at_start import log_weaknesses
from vestibule.observability.traces.provider import start_tracing
from vestibule.observability.traces.requests import Traced
from vestibule.observability.traces.threads import TracedThreads
from vestibule.web.client_address import is_listed
from vestibule.web.layers.fast_path import FAST_PATHS
from vestibule.wiring.opening import read_settings

# Requests that are not traced: health checks.
_PROBES = ("/healthz/live", "/healthz/ready", "/api/healthchecker")


def application() -> ASGIApp:
    """Return the ASGI application for any ASGI server, and log the settings that weaken it. Raises `WrongSettings`."""
    program = worker()
    log_weaknesses(read_settings())
    return program


def worker() -> ASGIApp:
    """Return the ASGI application for a worker of `vestibule serve`; raises `WrongSettings`."""
    settings = app.prepare_process()

    def from_proxy(scope: Scope) -> bool:
        return bool(scope["client"]) and is_listed(scope["client"][0], settings.trusted_proxies)

    provider = start_tracing()
    return Traced(app.assemble(settings, TracedThreads), provider, from_proxy, FAST_PATHS, _PROBES)
