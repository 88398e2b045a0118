"""Auth0's export of users with password hashes, to be had from its support: a JSON object in each line."""

from datetime import UTC, datetime

from vestibule.model.imports import ForeignRow
from vestibule.storage.exports.fields import Fields, Given, either, flag_of, object_of, part_before_at, text_of

_OWN = "auth0|"
_OBJECT_ID_CHARACTERS = 24


def row(fields: Fields, _given: Given) -> ForeignRow:
    """Return the row of an exported user. Its id is Auth0's without a leading `auth0|`; any other `|` becomes `-`."""
    object_id = text_of(object_of(fields.get("_id")).get("$oid"))
    whole = either(text_of(fields.get("user_id")), text_of(fields.get("alt_id")), object_id) or ""
    password = either(text_of(fields.get("passwordHash")), text_of(fields.get("password_hash")))
    identifier = _email_among(fields.get("identifiers"))
    email = either(text_of(fields.get("email")), text_of(identifier.get("value")))
    created_at = text_of(fields.get("created_at")) or _made_at(object_id)
    provider, bar, _rest = whole.partition("|")  # `google-oauth2|1234`; an id without a bar is Auth0's own
    return ForeignRow(
        id=whole.removeprefix(_OWN).replace("|", "-"),
        name=either(text_of(fields.get("name")), text_of(fields.get("nickname"))) or part_before_at(email),
        email=email,
        photo=text_of(fields.get("picture")),
        verified=either(flag_of(fields.get("email_verified")), flag_of(identifier.get("verified"))),
        password=password,
        role=None,
        created_at=created_at,
        updated_at=text_of(fields.get("updated_at")),
        provider=None if password else (provider if bar else "auth0"),
        disabled=flag_of(fields.get("blocked")),
    )


def _email_among(identifiers: object) -> Fields:
    """Return the identifier that is an email; an empty one if there is none."""
    listed = identifiers if isinstance(identifiers, list) else []
    return next((found for each in listed if (found := object_of(each)).get("type") == "email"), {})


def _made_at(object_id: str | None) -> str | None:
    """Return when MongoDB made an object id, in ISO 8601; None if it is no object id. Its first four bytes are the
    seconds since 1970.
    """
    if object_id is None or len(object_id) != _OBJECT_ID_CHARACTERS:
        return None
    try:
        return datetime.fromtimestamp(int(object_id[:8], 16), UTC).isoformat()
    except ValueError:
        return None
