"""A JSON file of people: recognise its format by its first kilobytes, and turn its entries into rows."""

import json
from collections.abc import Iterator
from dataclasses import replace
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any

from vestibule.model.imports import ExportFormat, ForeignRow, unreadable_row
from vestibule.storage.exports.faults import UnusableFile, UnusableRow
from vestibule.storage.exports.fields import Given
from vestibule.storage.exports.formats import JSON_FORMATS, JsonFormat
from vestibule.storage.exports.json_entries import BrokenJson, entries
from vestibule.storage.exports.lines import Line, lines


def json_rows(
    path: Path, file: "BufferedReader[FileIO]", format_: ExportFormat | None, given: Given
) -> Iterator[ForeignRow]:
    """Yield the rows of a JSON file: for an entry that is no user, an `unreadable_row`. Raises `UnusableFile`."""
    # `peek` returns the whole buffer, which `export_file` made some kilobytes large.
    chosen = _format(path, file.peek(1), format_)
    if chosen.member is None:  # no list, but an object in each line
        for line in lines(file):
            if line.fault or line.text.strip():
                yield _row_of_line(chosen, line, given)
        return
    try:
        for number, entry in enumerate(entries(file, chosen.member), start=1):
            yield _row(chosen, f"entry {number}", entry, given)
    except BrokenJson as fault:
        raise UnusableFile(f"{path}: {fault}") from None


def _format(path: Path, beginning: bytes, name: ExportFormat | None) -> JsonFormat:
    for each in JSON_FORMATS:
        if name == each.name or (name is None and each.mark in beginning):
            return each
    names = ", ".join(each.name for each in JSON_FORMATS)
    if name is not None:
        raise UnusableFile(f"{path} is JSON, and --format {name} is CSV; JSON may be {names}")
    raise UnusableFile(f"{path} is JSON of no format that is recognised; give --format: {names}")


def _row_of_line(chosen: JsonFormat, line: Line, given: Given) -> ForeignRow:
    place = f"line {line.number}"
    if line.fault is not None:
        return unreadable_row(place, line.fault)
    try:
        entry = json.loads(line.text)
    except (ValueError, RecursionError):
        return unreadable_row(place, "it is not JSON")
    return _row(chosen, place, entry, given)


def _row(chosen: JsonFormat, place: str, entry: Any, given: Given) -> ForeignRow:
    if not isinstance(entry, dict):
        return unreadable_row(place, "it is no JSON object")
    try:
        return replace(chosen.row(entry, given), place=place)
    except UnusableRow as fault:
        return unreadable_row(place, str(fault))
