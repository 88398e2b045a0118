"""What the whole application shares, in one typed object, and the one way for a handler to reach it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.model.clock import Clock
from vestibule.model.letters import Writer
from vestibule.model.policy import Policy
from vestibule.web.client_address import ClientAddresses
from vestibule.web.pages.templates import Templates
from vestibule.web.policy import WebPolicy
from vestibule.web.under_way import UnderWay
from vestibule.web.wrong_keys import WrongKeys

Form = Callable[[Request, int], Response]
"""Shows a form again as it was sent, with a status."""


class LateEnv:
    """Holds the `Env`: the lifespan opens it after the application is put together, and before the first request."""

    __slots__ = ("env",)

    def __init__(self, env: Env | None = None) -> None:
        self.env = env


@dataclass(frozen=True, slots=True)
class Site:
    """What one installation shares between all requests. `forms` are those that are shown again, by their path.

    `clock` is there before the `Env` is, for the layers that answer without it.
    """

    policy: Policy
    web: WebPolicy
    clock: Clock
    templates: Templates
    writer: Writer
    forms: Mapping[str, Form]
    client_addresses: ClientAddresses
    late: LateEnv
    wrong_keys: WrongKeys = field(default_factory=WrongKeys)
    under_way: UnderWay = field(default_factory=UnderWay)

    @property
    def env(self) -> Env:
        """Return what this process was put together with; raises `RuntimeError` before the lifespan has opened it."""
        if self.late.env is None:
            raise RuntimeError("the lifespan has not run: the server must call it before the first request")
        return self.late.env


def site_of(request: Request) -> Site:
    """Return the site that a request came to. Nothing else reads `app.state`."""
    site: Site = request.app.state.site
    return site
