"""Define the order of the layers around the application, for the server and for tests.

What measures a request (`observability.metrics`, `observability.traces`) goes around all of these: `app` and `traced`
add it.
"""

from starlette.types import ASGIApp

from vestibule.web.layers.draining import Draining
from vestibule.web.layers.fast_path import FastPath
from vestibule.web.layers.headers import HeadersLayer
from vestibule.web.site import Site


def around(app: ASGIApp, site: Site) -> ASGIApp:
    """Return `app` inside every layer. Each line wraps the lines above it, so a request passes the last one first."""
    # Innermost, so that the application's answers and its own (preflights, refusals) carry the same headers.
    app = HeadersLayer(app, site.web, site.clock)
    # Around the headers, so that a process which stops closes the connection with what that layer answers too.
    app = Draining(app, site.late, site.under_way)
    # Outermost, so that what it answers pays for no other layer. While the process stops it passes all on.
    return FastPath(app, site)
