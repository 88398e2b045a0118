"""What all requests share, in one typed object, and the function by which a handler reaches it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.model.clock import Clock
from vestibule.model.letters import Writer
from vestibule.model.policy import Policy
from vestibule.web.client_address import ClientAddresses
from vestibule.web.pages.template_loader import Templates
from vestibule.web.under_way import UnderWay
from vestibule.web.web_policy import WebPolicy
from vestibule.web.wrong_keys import WrongKeys

ShowForm = Callable[[Request, int], Response]
"""Shows a form again with what was sent; the number is the HTTP status."""


class EnvHolder:
    """Holds the `Env`, which the lifespan sets later: after the application was built, and before the first request."""

    __slots__ = ("env",)

    def __init__(self, env: Env | None = None) -> None:
        self.env = env


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests of a process share. `forms` has, by path, the functions that show a form again.

    `clock` is here too, although the `Env` has it: some layers need it before the `Env` is open.
    """

    policy: Policy
    web: WebPolicy
    clock: Clock
    templates: Templates
    writer: Writer
    forms: Mapping[str, ShowForm]
    client_addresses: ClientAddresses
    env_holder: EnvHolder
    wrong_keys: WrongKeys = field(default_factory=WrongKeys)
    under_way: UnderWay = field(default_factory=UnderWay)

    @property
    def env(self) -> Env:
        """Return the `Env` of this process; raises `RuntimeError` before the lifespan has opened it."""
        if self.env_holder.env is None:
            raise RuntimeError("the lifespan has not run: the server must call it before the first request")
        return self.env_holder.env


def site_of(request: Request) -> Site:
    """Return the `Site` of the request's application. Nothing else reads `app.state`."""
    site: Site = request.app.state.site
    return site
