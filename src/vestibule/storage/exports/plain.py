"""Plain CSV: the columns that docs/guides/moving-in.md describes, and those of the tutorial's `users` table."""

from vestibule.crypto.entropy import new_id
from vestibule.model.imports import ForeignRow
from vestibule.storage.exports.fields import Fields, Given, part_before_at
from vestibule.storage.exports.hashes import stored_form

NEEDED = {"email"}
_OF_THE_TUTORIAL = {"verificationCode", "passwordResetToken", "passwordResetAt"}
"""Columns of the tutorial's table that Vestibule does not need: allowed, and ignored."""
COLUMNS = (
    NEEDED
    | _OF_THE_TUTORIAL
    | {
        "id",
        "name",
        "photo",
        "verified",
        "password",
        "role",
        "createdAt",
        "updatedAt",
        "provider",
        "disabled",
    }
)
"""All columns that a file may have. Any other is refused: it is probably misspelt."""


def row(fields: Fields, _given: Given) -> ForeignRow:
    """Return the account in one record of the file. An empty field counts as missing."""
    filled = {column: text for column, text in fields.items() if text}
    return ForeignRow(
        id=filled.get("id") or new_id(),
        name=filled.get("name", part_before_at(filled.get("email"))),
        email=filled.get("email"),
        photo=filled.get("photo"),
        verified=filled.get("verified", "").lower() or None,
        password=stored_form(filled["password"]) if "password" in filled else None,
        role=filled.get("role"),
        created_at=filled.get("createdAt"),
        updated_at=filled.get("updatedAt"),
        provider=filled.get("provider"),
        disabled=filled.get("disabled", "").lower() or None,
    )
