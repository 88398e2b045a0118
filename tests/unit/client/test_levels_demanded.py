"""What demands a level or a recent sign-in demands one that exists, in every framework."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.client.asking import AUTH
from tests.unit.client.django_site import for_rest
from vestibule.client import Caller, Verifier, django, litestar
from vestibule.client import flask as for_flask
from vestibule.client.fastapi import CurrentUser

CALLER = Caller("ada", "user", "s", 0, 0, {})
MADE: dict[str, Any] = {
    "a caller": CALLER,
    "fastapi": CurrentUser(Verifier(**AUTH)),
    "flask": for_flask.Vestibule(),
    "django": django,
    "rest framework": for_rest,
    "litestar": litestar,
}


def view(request: Any) -> Any:
    return request


NEITHER = (None, "", "2", True, False, -1, 0, 2.0, float("nan"), float("inf"), [2], view)
WRONG = {
    "require_level": ((4, *NEITHER), "level is a whole number from 1 to 3, not "),
    "require_recent": ((10**9, *NEITHER), "max_age is a whole number from 1 to 31622400, not "),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_k46_a_level_and_an_age_that_cannot_be_are_refused_at_once(made: Any, name: str) -> None:
    demand: Callable[..., Any] = getattr(made, name)
    values, sentence = WRONG[name]
    for value in values:
        with pytest.raises(ValueError, match=sentence):
            pytest.fail(f"took {value!r}: {demand(value)}")
