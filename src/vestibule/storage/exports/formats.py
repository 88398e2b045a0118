"""The formats of files, in the order in which they are recognised."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from vestibule.model.imports import ExportFormat, ForeignRow
from vestibule.storage.exports import auth0, django, fastapi_users, firebase, keycloak, plain, supabase
from vestibule.storage.exports.fields import Fields, Given

ToRow = Callable[[Fields, Given], ForeignRow]
"""Turns one exported user into a row. Raises `UnusableRow`, or `UnusableFile` if no row of the file can be read."""


@dataclass(frozen=True)
class CsvFormat:
    """A CSV file whose first line names its columns. `needed`: the columns by which the format is recognised. `known`:
    all columns that it may have; None for any.
    """

    name: ExportFormat
    needed: AbstractSet[str]
    row: ToRow
    known: AbstractSet[str] | None = None


@dataclass(frozen=True)
class JsonFormat:
    """A JSON document: a list of users, or an object that lists them in `member`; if `member` is None, a file with an
    object in each line. `mark`: what the first kilobytes of every file of this format contain.
    """

    name: ExportFormat
    mark: bytes
    member: str | None
    row: ToRow


CSV_FORMATS = (
    CsvFormat(ExportFormat.DJANGO, django.NEEDED, django.row),
    CsvFormat(ExportFormat.FASTAPI_USERS, fastapi_users.NEEDED, fastapi_users.row),
    CsvFormat(ExportFormat.SUPABASE, supabase.NEEDED, supabase.row),
    CsvFormat(ExportFormat.CSV, plain.NEEDED, plain.row, plain.COLUMNS),
)
JSON_FORMATS = (
    JsonFormat(ExportFormat.DJANGO, b'"auth.user"', "", django.row_of_dump),
    JsonFormat(ExportFormat.FIREBASE, b'"localId"', "users", firebase.row),
    JsonFormat(ExportFormat.KEYCLOAK, b'"realm"', "users", keycloak.row),
    JsonFormat(ExportFormat.AUTH0, b'"_id"', None, auth0.row),
)
