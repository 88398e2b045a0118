"""Define the order of the layers around the application, for the server and for tests.

`app` and `wiring.traced` add the layers that measure requests (`observability.metrics`, `observability.traces`) around
all of these.
"""

from starlette.types import ASGIApp

from vestibule.web.layers.draining import Draining
from vestibule.web.layers.fast_path import FastPath
from vestibule.web.layers.headers import HeadersLayer
from vestibule.web.layers.unread_body import UnreadBody
from vestibule.web.site import Site


def add_layers(app: ASGIApp, site: Site) -> ASGIApp:
    """Return `app` inside every layer. Each line wraps the lines above it, so a request passes the last one first."""
    # Innermost. The application's answers get the same headers as those of this layer itself (preflights, refusals).
    app = HeadersLayer(app, site.web, site.hints)
    # Around the headers, so that refusals of that layer leave no body unread either; inside of the next layer, which
    # records that a body is being read.
    app = UnreadBody(app)
    # Around the headers, so that answers of that layer close their connection too while the process is draining.
    app = Draining(app, site.env_holder, site.in_flight)
    # Outermost, so that its answers skip every other layer. While draining, it passes every request on.
    return FastPath(app, site)
