"""The `Site`: what all requests of a process share. `application.make_site` makes it; handlers call `site_of`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import Response

from vestibule.flows.env import Env
from vestibule.model.clock import Clock
from vestibule.model.letters import Writer
from vestibule.model.policy import Policy
from vestibule.state.health_reports import HealthReports
from vestibule.web.client_address import ClientAddresses
from vestibule.web.front_end_hints import FrontEndHints
from vestibule.web.in_flight import InFlight
from vestibule.web.pages.template_loader import Templates
from vestibule.web.sent_forms import SentForms
from vestibule.web.web_policy import WebPolicy
from vestibule.web.wrong_keys import WrongKeys

ShowForm = Callable[[Request, int], Response]
"""Shows a form again with the values that were sent, and answers with this HTTP status."""


class EnvHolder:
    """Holds the `Env`, which the lifespan sets later: after the application was built, and before the first request."""

    __slots__ = ("env",)

    def __init__(self, env: Env | None = None) -> None:
        self.env = env


@dataclass(frozen=True, slots=True)
class Site:
    """What all requests of a process share. `forms` maps a page's path to the function that shows its form again, and
    `form_pages` to the path of the page that has the form, if that is another one.

    `clock` is here too, although the `Env` has it: some layers need it before the `Env` is open.
    """

    policy: Policy
    web: WebPolicy
    clock: Clock
    templates: Templates
    writer: Writer
    forms: Mapping[str, ShowForm]
    form_pages: Mapping[str, str]
    client_addresses: ClientAddresses
    hints: FrontEndHints
    env_holder: EnvHolder
    health: HealthReports
    wrong_keys: WrongKeys = field(default_factory=WrongKeys)
    in_flight: InFlight = field(default_factory=InFlight)
    sent_forms: SentForms = field(default_factory=SentForms)

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
