"""The kit's permission classes of REST framework under its operators `&`, `|` and `~`."""

from typing import Any

import pytest
from django.test import RequestFactory

from tests.unit.client.django_site import APIView, for_rest
from vestibule.client.testing import SignedIn
from vestibule.client.token_clock import TokenClock
from vestibule.protocol.clocks import Clocks

# Only after Django was set up, in `django_site`: the framework reads Django's settings.
from rest_framework.permissions import BasePermission  # isort: skip
from rest_framework.response import Response  # isort: skip

LEVEL, RECENT = for_rest.require_level(2), for_rest.require_recent(300)
ADMIN, EDITOR = for_rest.with_role("admin"), for_rest.with_role("editor")
INSUFFICIENT, ROLE, GENERIC = (401, "insufficient_user_authentication"), (403, "not_allowed"), (403, None)
LET_IN = (200, None)
LOW, HIGH, OLD = {"level": 1}, {"level": 2}, {"level": 1, "authenticated_at": 1}


class Reading(BasePermission):
    """Lets everybody read."""

    def has_permission(self, request: Any, view: Any) -> bool:
        return bool(request.method == "GET")


ROWS: dict[str, tuple[Any, str, dict[str, Any], tuple[int, str | None]]] = {
    "and: met": (LEVEL & ADMIN, "GET", HIGH | {"role": "admin"}, LET_IN),
    "and: level missing": (LEVEL & ADMIN, "GET", LOW | {"role": "admin"}, INSUFFICIENT),
    "and: the role goes first": (LEVEL & ADMIN, "GET", LOW, ROLE),
    "and, in an and": (LEVEL & (RECENT & ADMIN), "GET", OLD, ROLE),
    "or: the first": (LEVEL | Reading, "POST", HIGH, LET_IN),
    "or: the second": (LEVEL | Reading, "GET", LOW, LET_IN),
    "or: neither": (LEVEL | Reading, "POST", LOW, GENERIC),
    "or: ours is the last": (Reading | LEVEL, "POST", LOW, INSUFFICIENT),
    "or: an and is the last": (Reading | (LEVEL & ADMIN), "POST", LOW | {"role": "admin"}, INSUFFICIENT),
    "or: of roles": (ADMIN | EDITOR, "GET", {"role": "editor"}, LET_IN),
    "or: of roles, neither": (ADMIN | EDITOR, "GET", LOW, ROLE),
    "not: it is not": (~ADMIN, "GET", LOW, LET_IN),
    "not: it is": (~ADMIN, "GET", {"role": "admin"}, GENERIC),
}


def answer(permissions: tuple[Any, ...], method: str, headers: dict[str, str]) -> tuple[int, str | None]:
    """Status and code, which is None in the framework's own answers."""

    class Orders(APIView):
        permission_classes = permissions

        def get(self, _request: Any) -> Response:
            return Response({})

        post = get

    got = Orders.as_view()(RequestFactory().generic(method, "/", headers=headers))
    return got.status_code, got.data.get("code")


@pytest.mark.parametrize(("permission", "method", "who", "expected"), ROWS.values(), ids=ROWS)
def test_operators_ask_the_kit_s_permissions_like_any_other(
    permission: Any, method: str, who: dict[str, Any], expected: tuple[int, str | None], vestibule: SignedIn
) -> None:
    assert answer((permission,), method, vestibule.headers(vestibule.token_for("ada", **who))) == expected


@pytest.mark.parametrize("permission", [LEVEL | Reading, ~ADMIN, LEVEL & ADMIN, Reading & LEVEL])
def test_under_an_operator_too_nobody_comes_in_without_a_token_or_a_decision(
    permission: Any, vestibule: SignedIn
) -> None:
    assert answer((permission,), "GET", {})[0] == 401
    headers = vestibule.headers(vestibule.token_for("ada", level=2, role="guest"))
    vestibule.make_stale()
    assert answer((permission,), "GET", headers)[0] == 503


def test_k14_where_nobody_can_tell_how_long_ago_it_was_the_opposite_lets_nobody_in(vestibule: SignedIn) -> None:
    """K14: the clock was set between the check and the demand."""
    clocks = Clocks()
    clocks.note_offset(0.0)
    vestibule.memory.token_clock = TokenClock(30.0, vestibule.clock, clocks)
    headers = vestibule.headers(vestibule.token_for("ada", authenticated_at=1))
    assert answer((~RECENT,), "GET", headers) == (503, "cannot_tell")


def test_an_alternative_is_not_asked_for_with_the_rest(vestibule: SignedIn) -> None:
    """In a request to read, which needs no admin."""
    permissions, headers = (LEVEL, Reading | ADMIN), vestibule.headers(vestibule.token_for("ada"))
    assert answer(permissions, "GET", headers) == INSUFFICIENT
