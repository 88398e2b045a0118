"""O54: the kit, held to the vectors of permissions in docs/protocol/."""

import json
from typing import Any

import pytest

from tests.harness.clock import ManualClock
from tests.unit.protocol.vectors import FOLDER
from vestibule.client import keys as kit_keys
from vestibule.client.permission_book import LATE_ROLE_SECONDS, PermissionBook
from vestibule.crypto.jws import InvalidToken
from vestibule.protocol import permissions
from vestibule.protocol.claims import Expected
from vestibule.protocol.permissions import Permissions

VECTORS: dict[str, Any] = json.loads((FOLDER / "permissions.json").read_text())
KEYS = kit_keys.parse(VECTORS["jwks"])
EXPECTED = Expected(VECTORS["issuer"], "vestibule", 30)


def read(text: str) -> Permissions | None:
    try:
        return permissions.read(text, KEYS, EXPECTED)
    except InvalidToken:
        return None


@pytest.mark.parametrize("vector", VECTORS["documents"], ids=lambda vector: vector["name"])
def test_o54_the_kit_judges_a_document_so(vector: dict[str, Any]) -> None:
    assert (read(vector["document"]) is not None) == vector["accepted"]


@pytest.mark.parametrize("question", VECTORS["questions"], ids=str)
def test_o54_the_kit_permits_what_it_should(question: dict[str, Any]) -> None:
    clock = ManualClock()
    book = PermissionBook(clock, accepts_stale=True)
    document = read(VECTORS["documents"][0]["document"])
    assert document is not None
    book.learn(document, clock.monotonic())
    roles = (question["role"], *question["roles"])
    for role in roles:
        book._first_met(role, clock.monotonic())
    clock.advance(seconds=LATE_ROLE_SECONDS)
    assert book.has(roles, question["permission"]) == question["permitted"]
