"""What a line of the URL map says of a route or of a page."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from vestibule.model.errors import Fault, Refusal
from vestibule.model.limits import RateClass
from vestibule.model.permissions import Permission
from vestibule.web.body import ContractBody, body_of
from vestibule.web.site import ShowForm

Guard = Callable[..., Any]
"""What FastAPI calls before the handler. A guard raises a refusal if the request may not pass."""


@dataclass(frozen=True)
class Line:
    """One line of the map. The rate limit comes first, then the guards from left to right, then the handler. A line
    that `hashes`, be it a password or recovery codes, takes an admission slot before all of them.

    `permission` is what an operator needs. Only lines of the console and its API have one, which `operator_guard`
    checks after the guards.

    `while_acting`: an operator who acts as the owner of an account may use the line too (`owner_alone`). Such a line
    changes nothing, or ends the acting.

    A line has no limit if it writes nothing and hashes nothing, or if proxies or services call it for all their users.
    """

    method: str
    path: str
    handler: Callable[..., Any]
    guards: tuple[Guard, ...]
    limit: RateClass | None
    hashes: bool
    permission: Permission | None = field(default=None, kw_only=True)
    while_acting: bool = field(default=False, kw_only=True)


@dataclass(frozen=True)
class Route(Line):
    """A route of the API. `status` and `answer` are those of a success. `refusals` are what the handler and its flow
    can raise, for the documentation. `form_fields` are the names of the fields, if the body is a form. `media_type` is
    the content type of a success that is not JSON.
    """

    status: int
    answer: type[BaseModel] | None
    refusals: tuple[type[Refusal | Fault], ...] = ()
    form_fields: tuple[str, ...] = ()
    media_type: str = field(default="", kw_only=True)

    @property
    def body(self) -> type[ContractBody] | None:
        """Return the type of the JSON body, which the handler's signature names; None if it reads none."""
        return body_of(self.handler)


@dataclass(frozen=True)
class Page(Line):
    """A page, or a file that pages load. A GET changes nothing. `show_form` shows the form again with what was sent, if
    the request was refused only for now (429, 503). `form_page` is the path of the page that has the form, if that is
    another page: a browser is redirected there if the form is refused.
    """

    show_form: ShowForm | None = None
    form_page: str = ""
