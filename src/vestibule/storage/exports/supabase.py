"""Supabase's table `auth.users` as CSV."""

from vestibule.model.accounts import Role
from vestibule.model.imports import ForeignRow, LeftOut, moment
from vestibule.storage.exports.faults import UnusableRow
from vestibule.storage.exports.fields import Fields, Given, either, flag_of, json_object, part_before_at, text_of

NEEDED = {"id", "email", "encrypted_password", "email_confirmed_at", "created_at", "raw_app_meta_data"}
_YES = {"true", "t", "1"}


def row(fields: Fields, given: Given) -> ForeignRow:
    """Return the row in a record; raises `UnusableRow` for a user who was deleted at Supabase."""
    if text_of(fields.get("deleted_at")):
        raise UnusableRow("it is a user who was deleted there")
    by_app, by_user = json_object(fields.get("raw_app_meta_data")), json_object(fields.get("raw_user_meta_data"))
    password, email = text_of(fields.get("encrypted_password")), text_of(fields.get("email"))
    admin = flag_of(fields.get("is_super_admin")) in _YES or by_app.get("role") == Role.ADMIN
    name = either(text_of(by_user.get("full_name")), text_of(by_user.get("name")))
    return ForeignRow(
        id=text_of(fields.get("id")),
        name=name or part_before_at(email),
        email=email,
        photo=text_of(by_user.get("avatar_url")),
        verified=str(bool(text_of(fields.get("email_confirmed_at")))).lower(),
        password=password,
        role=Role.ADMIN if admin else Role.USER,
        created_at=text_of(fields.get("created_at")),
        updated_at=text_of(fields.get("updated_at")),
        provider=None if password else either(text_of(by_app.get("provider")), "supabase"),
        disabled=str(_banned(text_of(fields.get("banned_until")), given)).lower(),
    )


def _banned(until: str | None, given: Given) -> bool:
    """Return whether a user is banned now. An end that is no date, such as PostgreSQL's `infinity`, counts as later."""
    if until is None:
        return False
    try:
        return moment(until, "banned_until") > given.now
    except LeftOut:
        return True
