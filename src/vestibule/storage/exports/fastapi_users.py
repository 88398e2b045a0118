"""FastAPI-Users' table `user` as CSV, in its default columns. Its hashes are of argon2id, or of bcrypt."""

from vestibule.model.accounts import Role
from vestibule.model.imports import ForeignRow
from vestibule.storage.exports.fields import Fields, Given, flag_of, full_name, part_before_at, text_of

NEEDED = {"id", "email", "hashed_password", "is_active", "is_superuser", "is_verified"}
_NO = {"false", "f", "0"}


def row(fields: Fields, _given: Given) -> ForeignRow:
    """Return the row in a record. The table has neither names nor dates, unless a team added columns for them."""
    email = text_of(fields.get("email"))
    name = full_name(fields.get("first_name"), fields.get("last_name"))
    superuser = flag_of(fields.get("is_superuser"))
    return ForeignRow(
        id=text_of(fields.get("id")),
        name=text_of(fields.get("name")) or name or part_before_at(email),
        email=email,
        photo=None,
        verified=flag_of(fields.get("is_verified")),
        password=text_of(fields.get("hashed_password")),
        role=Role.USER if superuser in _NO | {None} else Role.ADMIN,
        created_at=text_of(fields.get("created_at")),
        updated_at=text_of(fields.get("updated_at")),
        provider=None,
        disabled=str(flag_of(fields.get("is_active")) in _NO).lower(),
    )
