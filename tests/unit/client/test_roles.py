"""What demands a role names one, in every framework: named none, one let everybody in and another nobody."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.client.asking import AUTH
from tests.unit.client.django_site import for_rest
from vestibule.client import Caller, Verifier, django, litestar
from vestibule.client import flask as for_flask
from vestibule.client.fastapi import CurrentUser

DEMANDING: dict[str, Callable[..., Any]] = {
    "a caller": Caller("ada", "user", "s", 0, 0, {}).require,
    "fastapi": CurrentUser(Verifier(**AUTH)).with_role,
    "flask": for_flask.Vestibule().with_role,
    "django": django.with_role,
    "rest framework": for_rest.with_role,
    "litestar": litestar.with_role,
}
NAMING_NONE: dict[str, tuple[Any, ...]] = {
    "nothing": (),
    "an empty name": ("",),
    "None": (None,),
    "a list": (["admin"],),
    "a name and a list": ("user", ["admin"]),
    "a view, as by @with_role": (lambda request: request,),
}


@pytest.mark.parametrize("roles", NAMING_NONE.values(), ids=NAMING_NONE)
@pytest.mark.parametrize("demand", DEMANDING.values(), ids=DEMANDING)
def test_k40_whoever_demands_no_role_is_told_at_once(demand: Callable[..., Any], roles: tuple[Any, ...]) -> None:
    with pytest.raises(ValueError, match="name at least one role"):
        demand(*roles)
