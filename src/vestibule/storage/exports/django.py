"""Django's users: the table `auth_user` as CSV, or the JSON of `manage.py dumpdata auth.user`.

Django does not store whether an email is verified. All are imported as unverified, unless the operator gives
`--verified`.
"""

from vestibule.model.accounts import Role
from vestibule.model.imports import ForeignRow
from vestibule.storage.exports.faults import UnusableRow
from vestibule.storage.exports.fields import (
    Fields,
    Given,
    either,
    flag_of,
    full_name,
    object_of,
    part_before_at,
    text_of,
)
from vestibule.storage.exports.hashes import stored_form

NEEDED = {"id", "password", "email", "username", "is_superuser", "is_active", "date_joined"}
_UNUSABLE = "!"  # django.contrib.auth.hashers, UNUSABLE_PASSWORD_PREFIX
_NO = {"false", "f", "0"}


def row(fields: Fields, _given: Given) -> ForeignRow:
    """Return the row in a record of `auth_user`."""
    password = text_of(fields.get("password"))
    usable = password is not None and not password.startswith(_UNUSABLE)
    name = full_name(fields.get("first_name"), fields.get("last_name"))
    superuser = flag_of(fields.get("is_superuser"))
    joined = text_of(fields.get("date_joined"))
    return ForeignRow(
        id=text_of(fields.get("id")),
        name=either(name, text_of(fields.get("username"))) or part_before_at(fields.get("email")),
        email=text_of(fields.get("email")),
        photo=None,
        verified=None,
        password=stored_form(password) if password and usable else None,
        role=Role.USER if superuser in _NO | {None} else Role.ADMIN,
        created_at=joined,
        updated_at=joined,
        provider=None if usable else "django",
        disabled=str(flag_of(fields.get("is_active")) in _NO).lower(),
    )


def row_of_dump(entry: Fields, given: Given) -> ForeignRow:
    """Return the row in an entry of `dumpdata`; raises `UnusableRow` for an entry of another model."""
    fields = object_of(entry.get("fields"))
    if not NEEDED - {"id", "username"} <= set(fields):
        raise UnusableRow("it is no user: it lacks fields of auth.user")
    return row({"id": entry.get("pk"), **fields}, given)
