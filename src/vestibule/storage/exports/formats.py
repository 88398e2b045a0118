"""The formats of files, in the order in which they are recognised."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from vestibule.model.imports import ExportFormat, ForeignRow
from vestibule.storage.exports import plain


@dataclass(frozen=True)
class CsvFormat:
    """A CSV file whose first line names its columns. `needed`: columns without which it is not this format. `known`:
    all that it may have; None for any. `row`: turns the fields into a row; raises `UnusableRow`.
    """

    name: ExportFormat
    needed: AbstractSet[str]
    known: AbstractSet[str] | None
    row: Callable[[Mapping[str, str]], ForeignRow]


CSV_FORMATS = (CsvFormat(ExportFormat.CSV, plain.NEEDED, plain.COLUMNS, plain.row),)
