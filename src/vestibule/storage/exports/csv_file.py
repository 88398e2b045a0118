"""A CSV file of people: recognise its format by the names of its columns, and turn its records into rows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from vestibule.model.imports import ExportFormat, ForeignRow, unreadable_row
from vestibule.protocol.one_line import quoted
from vestibule.storage.exports.csv_rows import Record, records
from vestibule.storage.exports.faults import UnusableFile, UnusableRow
from vestibule.storage.exports.fields import Given
from vestibule.storage.exports.formats import CSV_FORMATS, CsvFormat
from vestibule.storage.exports.lines import lines


def csv_rows(path: Path, file: BinaryIO, format_: ExportFormat | None, given: Given) -> Iterator[ForeignRow]:
    """Yield the rows of a CSV file: for a record that cannot be read, an `unreadable_row`. Raises `UnusableFile`."""
    found = records(lines(file))
    head = next(found, None)
    if head is None:
        raise UnusableFile(f"{path} is empty; its first line must name the columns")
    if head.fault is not None:
        raise UnusableFile(f"{path}, line {head.number}: {head.fault}; the first line must name the columns")
    columns = [column.strip() for column in head.fields]
    chosen = _format(path, columns, format_)
    for record in found:
        yield _row(chosen, columns, record, given)


def _row(chosen: CsvFormat, columns: Sequence[str], record: Record, given: Given) -> ForeignRow:
    place = f"line {record.number}"
    try:
        return replace(chosen.row(record.by_column(columns), given), place=place)
    except UnusableRow as fault:
        return unreadable_row(place, str(fault))


def _format(path: Path, columns: Sequence[str], name: ExportFormat | None) -> CsvFormat:
    if twice := [column for column in columns if columns.count(column) > 1]:
        raise UnusableFile(f"{path} names the column {quoted(twice[0])} twice")
    fitting = [each for each in CSV_FORMATS if (name in {None, each.name}) and each.needed <= set(columns)]
    if not fitting:
        raise UnusableFile(_no_format(path, columns, name))
    chosen = fitting[0]
    if chosen.known is not None and (odd := [column for column in columns if column not in chosen.known]):
        known = ", ".join(sorted(chosen.known))
        raise UnusableFile(f"{path} has a column {quoted(odd[0])}, which is none of {known}; rename or remove it")
    return chosen


def _no_format(path: Path, columns: Sequence[str], name: ExportFormat | None) -> str:
    wanted = [each for each in CSV_FORMATS if each.name == name]
    if name is not None and not wanted:
        return f"{path} is no JSON, and --format {name} is"
    if not wanted:
        needed = "; ".join(f"{each.name}: {', '.join(sorted(each.needed))}" for each in CSV_FORMATS)
        return f"{path}: its first line names the columns of no format; needed are, for {needed}"
    missing = sorted(wanted[0].needed - set(columns))
    return f"{path} lacks the columns {', '.join(missing)} of --format {name}; its first line must name them"
