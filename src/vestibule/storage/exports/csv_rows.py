"""Read CSV (RFC 4180), one record at a time, and go on after a broken one."""

import csv
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from vestibule.storage.exports.faults import UnusableRow
from vestibule.storage.exports.lines import MAX_LINE_BYTES, Line

_SEPARATORS = ",;\t"
_MOST_LINES = 100  # of one record, which has more than one if a field has line breaks


@dataclass(frozen=True)
class Record:
    """The fields of one record, and the number of its first line. `fault`: why there are none."""

    number: int
    fields: Sequence[str] = ()
    fault: str | None = None

    def by_column(self, columns: Sequence[str]) -> Mapping[str, str]:
        """Return the fields by the names of their columns; raises `UnusableRow`."""
        if self.fault is not None:
            raise UnusableRow(self.fault)
        if len(self.fields) != len(columns):
            raise UnusableRow(f"it has {len(self.fields)} fields, and the first line names {len(columns)} columns")
        return dict(zip(columns, self.fields, strict=True))


def records(lines: Iterator[Line]) -> Iterator[Record]:
    """Yield the records of a CSV file, beginning with the one that names the columns. Fields are separated by a comma,
    semicolon or tab: the one that is in the first line most often. Blank lines are left out.
    """
    ahead: deque[Line] = deque()
    separator = None
    while (line := ahead.popleft() if ahead else next(lines, None)) is not None:
        separator = separator or max(_SEPARATORS, key=line.text.count)
        if line.fault or line.text.strip():
            yield _record(line, lines, ahead, separator)


def _record(first: Line, lines: Iterator[Line], ahead: deque[Line], separator: str) -> Record:
    """Return the record that begins on this line. Lines that were read beyond its end are put into `ahead`."""
    taken = [first]
    while taken[-1].fault is None:
        text = "".join(line.text for line in taken)
        try:
            [fields] = csv.reader([text], delimiter=separator, strict=True)
        except csv.Error as fault:
            if "unexpected end" not in str(fault):
                return _broken(taken, ahead, "its quotation marks do not enclose whole fields, or a field is too long")
        else:
            return Record(first.number, fields)
        more = ahead.popleft() if ahead else next(lines, None)
        if more is None or len(taken) == _MOST_LINES or len(text) + len(more.text) > MAX_LINE_BYTES:
            ahead.extendleft([more] if more else [])
            return _broken(taken, ahead, "a quotation mark is opened in it and not closed")
        taken.append(more)
    return _broken(taken, ahead, taken[-1].fault or "")


def _broken(taken: Sequence[Line], ahead: deque[Line], fault: str) -> Record:
    """Return a broken record of the first line alone, and put the other lines back: they may be whole records."""
    ahead.extendleft(reversed(taken[1:]))
    return Record(taken[0].number, fault=fault)
