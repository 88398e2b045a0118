"""Plain CSV: the columns that docs/guides/moving-in.md describes, and those of the tutorial's `users` table."""

from vestibule.crypto.entropy import new_id
from vestibule.model.imports import ForeignRow
from vestibule.storage.exports.fields import Fields, Given, part_before_at
from vestibule.storage.exports.hashes import stored_form

NEEDED = {"email"}
_OF_THE_TUTORIAL = {"verificationCode", "passwordResetToken", "passwordResetAt"}
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


def row(fields: Fields, _given: Given) -> ForeignRow:
    """Return the row in a record. An empty field counts as missing."""
    given = {column: text for column, text in fields.items() if text}
    return ForeignRow(
        id=given.get("id") or new_id(),
        name=given.get("name", part_before_at(given.get("email"))),
        email=given.get("email"),
        photo=given.get("photo"),
        verified=given.get("verified", "").lower() or None,
        password=stored_form(given["password"]) if "password" in given else None,
        role=given.get("role"),
        created_at=given.get("createdAt"),
        updated_at=given.get("updatedAt"),
        provider=given.get("provider"),
        disabled=given.get("disabled", "").lower() or None,
    )
