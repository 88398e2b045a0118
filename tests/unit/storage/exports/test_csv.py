"""CSV: each wrong row and each wrong file has a sentence of its own, and no row is in the way of another."""

import tracemalloc
from pathlib import Path

import pytest

from tests.unit.cli.test_users import HASH
from tests.unit.storage.exports.reading import NOW, judged, rows_of
from vestibule.model.accounts import Account, Role
from vestibule.model.imports import ExportFormat
from vestibule.storage.exports.faults import UnusableFile

HEAD = "id,name,email,verified,password,role,createdAt,provider,disabled\n"
# A record, and why it is left out.
ROWS: dict[str, tuple[bytes, str]] = {
    "too few fields": (b"canary,Ada", "it has 2 fields, and the first line names 9 columns"),
    "too many fields": (b"canary,,,,,,,,,,", "it has 11 fields, and the first line names 9 columns"),
    "a quotation mark inside": (b'"can"ary,Ada', "its quotation marks do not enclose whole fields, or a field is too"),
    "a quotation mark that stays open": (b'"canary,Ada', "a quotation mark is opened in it and not closed"),
    "invalid UTF-8": (b"canary,\xff\xfe,c@example.com,,,,,,", "it is not UTF-8"),
    "a line of two megabytes": (b"canary" * 400_000, "it is longer than 1,048,576 bytes"),
    "a field of 200 kB": (b"1," + b"canary" * 30_000, "its quotation marks do not enclose whole fields, or a field is"),
    "an id with spaces": (b"can ary,Ada,c@example.com,,,,,x,", "its id is not 1 to 36 letters, digits, - and _"),
    "a control character": (b"1,Ca\x07nary,c@example.com,,,,,x,", "its name has a control character, such as a line"),
    "a line feed in a name": (b'1,"Ca\nnary",c@example.com,,,,,x,', "its name has a control character, such as a line"),
    "a NUL": (b"1,Ca\0nary,c@example.com,,,,,x,", "its name has a NUL, which no text may have"),
    "a long name": (b"1," + b"canary" * 60 + b",c@example.com,,,,,x,", "it has no name of at most 255 characters"),
    "a longer one": (b"1," + b"canary" * 200 + b",c@example.com,,,,,x,", "its name is longer than 1,024 characters"),
    "no email": (b"1,Canary,,,,,,x,", "its email is not one that Vestibule sends to"),
    "two emails": (b'1,Canary,"a@example.com\nb@example.com",,,,,x,', "its email is not one that Vestibule sends to"),
    "verified perhaps": (b"1,Canary,c@example.com,perhaps,,,,x,", "its verified is neither true nor false"),
    "disabled perhaps": (b"1,Canary,c@example.com,,,,,x,perhaps", "its disabled is neither true nor false"),
    "a password": (b"1,Canary,c@example.com,,canary,,,,", "its hash has no form that Vestibule can check"),
    "a costly hash": (
        f"1,C,c@example.com,,{HASH.replace('$12$', '$31$')},,,,".encode(),
        "checking its hash",
    ),
    "no password": (b"1,Canary,c@example.com,,,,,,", "it has no password hash"),
    "another role": (b"1,Canary,c@example.com,,,owner,,x,", "its role is neither user nor admin"),
    "a date in words": (b"1,Canary,c@example.com,,,,yesterday,x,", "its createdAt is no date"),
    "the year 9999": (b"1,Canary,c@example.com,,,,9999-12-31,x,", "its createdAt is too far away"),
}
GOOD = "fine{0},Ada,fine{0}@example.com,true," + HASH + ",user,2024-05-06T07:08:09Z,,\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(("record", "reason"), ROWS.values(), ids=ROWS)
def test_i11_each_wrong_record_has_its_reason_and_stops_no_other(
    tmp_path: Path, record: bytes, reason: str, end: str
) -> None:
    """I11: beside a good one before and after it; and nothing of it is repeated."""
    text = [each.format(number).replace("\n", end).encode() for number, each in enumerate((HEAD, GOOD, GOOD))]
    (tmp_path / "people.csv").write_bytes(text[0] + text[1] + record + end.encode() + text[2])
    told = judged(rows_of(tmp_path / "people.csv"))
    accounts = {found.id for found in told.values() if isinstance(found, Account)}
    faults = [found for found in told.values() if isinstance(found, str)]
    assert accounts == {"fine1", "fine2"}
    assert len(faults) == 1
    assert faults[0].startswith(reason)
    assert "canary" not in faults[0].lower()
    assert isinstance(told["line 2"], Account)
    assert isinstance(told["line 3"], str)


# A file, and what is said of it.
FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "is empty"),
    "only a byte order mark": (b"\xef\xbb\xbf", "is empty"),
    "only line ends": (b"\r\n\r\n\n", "is empty"),
    "only form feeds": (b"\f\n\x0b\n", "is empty"),
    "only spaces that do not break": ("\u00a0\n".encode(), "is empty"),
    "only columns": (HEAD.encode(), "has no users in it"),
    "other columns": (
        b"Canary,Vorname\n1,2\n",
        "its first line names the columns of no format; needed are",
    ),
    "no columns": (
        b"ada@example.com,Ada\n",
        "its first line names the columns of no format; needed are, for ",
    ),
    "an unknown column": (
        b"email,passwort\na,b\n",
        "has a column passwort, which is none of createdAt, disabled",
    ),
    "a column twice": (b"email,email\na,b\n", "names the column email twice"),
    "columns that are not UTF-8": (b"\xff\n", "line 1: it is not UTF-8; the first line must name the columns"),
    "UTF-16": ("email\na".encode("utf-16"), "is UTF-16; save it as UTF-8"),
    "gzip": (b"\x1f\x8b\x08\0", "is compressed; unpack it first, with gunzip"),
    "a spreadsheet": (b"PK\x03\x04", "is a ZIP file or a spreadsheet; unpack it, or save it as CSV (UTF-8)"),
    "SQLite": (b"SQLite format 3\0", "is a SQLite database; name it by --from sqlite:///FILE"),
}


@pytest.mark.parametrize(("content", "said"), FILES.values(), ids=FILES)
def test_i11_each_wrong_file_has_its_sentence(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "people.csv").write_bytes(content)
    with pytest.raises(UnusableFile) as refused:
        rows_of(tmp_path / "people.csv")
    assert said in str(refused.value)
    assert str(tmp_path / "people.csv") in str(refused.value)


def test_i11_a_file_that_cannot_be_opened_says_why(tmp_path: Path) -> None:
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "none.csv", "No such file or directory")):
        with pytest.raises(UnusableFile, match=f"{path} cannot be read: {why}"):
            rows_of(path)


def test_i11_a_line_of_a_gigabyte_takes_no_memory(tmp_path: Path) -> None:
    """I11: a hole of a gigabyte, which is one line of NULs."""
    with (tmp_path / "people.csv").open("wb") as file:
        file.write((HEAD + GOOD.format(1)).encode())
        file.seek(1 << 30, 1)
        file.write(("\n" + GOOD.format(2)).encode())
    tracemalloc.start()
    told = judged(rows_of(tmp_path / "people.csv"))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert told["line 3"] == "it is longer than 1,048,576 bytes"
    assert isinstance(told["line 4"], Account)
    assert peak < 30_000_000


def test_what_is_not_said_has_a_default_and_what_is_said_is_kept(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text(f"\ufeffpassword;email\n{HASH};Ada@Example.com\n")
    [found] = judged(rows_of(tmp_path / "people.csv", ExportFormat.CSV)).values()
    assert isinstance(found, Account)
    assert (found.name, found.email, found.verified, found.role) == ("Ada", "ada@example.com", False, Role.USER)
    assert (found.created_at, found.updated_at, found.disabled_at) == (NOW, NOW, None)
    (tmp_path / "people.csv").write_text(HEAD + f'7,"Lovelace, Ada",a@example.com,T,{HASH},admin,2024-01-01,x,1\n')
    [found] = judged(rows_of(tmp_path / "people.csv"), admins=True).values()
    assert isinstance(found, Account)
    assert (found.id, found.name, found.verified, found.role) == ("7", "Lovelace, Ada", True, Role.ADMIN)
    assert found.created_at.isoformat() == "2024-01-01T00:00:00+00:00"
    assert found.disabled_at is not None


def test_verified_rows_come_first_and_older_before_newer(tmp_path: Path) -> None:
    people = [
        "c,true,2024-01-01T00:00:00+02:00",
        "a,false,1999-01-01",
        "b,true,2023-12-31T22:30:00Z",
        "d,true,2020-01-01",
    ]
    (tmp_path / "people.csv").write_text("id,verified,createdAt,email\n" + "".join(f"{row},x\n" for row in people))
    assert [row.id for row in rows_of(tmp_path / "people.csv")] == ["d", "c", "b", "a"]
