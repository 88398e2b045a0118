"""Read the file `.env` as Node's dotenv does, because the contract's original server does so.

Each line is `NAME=value`. `export` in front, comments and quotation marks (' " `) are understood. A value in quotation
marks may have several lines. Nothing is expanded: a `$` is a dollar sign. A line is refused if other programs would
read it differently, or would skip it without a message.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from vestibule.protocol.files import read_bounded

# NAME=value, or NAME: value. The value is `quoted`, or `bare` with an optional `comment`; `space` stands before it.
_LINE = re.compile(
    r"""[^\S\n]*(?:export[^\S\n]+)?(?P<name>[A-Za-z0-9_.-]+)[^\S\n]*(?:=|:(?=[^\S\n]))(?P<space>[^\S\n]*)"""
    r"""(?:(?P<quote>['"`])(?P<quoted>(?:\\(?P=quote)|(?!(?P=quote))[\s\S])*)(?P=quote)[^\S\n]*(?:\#.*)?(?:\n|\Z)"""
    r"""|(?P<bare>[^#\n]*)(?P<comment>\#.*)?(?:\n|\Z))"""
)
_EMPTY = re.compile(r"[^\S\n]*(?:#.*)?(?:\n|\Z)")
_BARE_NAME = re.compile(r"[^\S\n]*(?:export[^\S\n]+)?([A-Za-z0-9_.-]+)[^\S\n]*")
_VIRTUAL_ENVIRONMENT_MARKER = "pyvenv.cfg"
MAX_BYTES = 1_000_000


@dataclass
class EnvFile:
    """The settings in the file, and a sentence for each thing that is wrong in it."""

    values: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    whole: bool = True
    """Whether the whole file could be read."""


def read(path: Path, known: Collection[str]) -> EnvFile:
    """Return the content of the file; empty if there is no file. An ambiguous line is a fault only if its name is
    `known`.
    """
    try:
        if path.is_dir() and (path / _VIRTUAL_ENVIRONMENT_MARKER).is_file():
            return EnvFile()  # a virtual environment in a folder called .env
        text = read_bounded(path, MAX_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        return EnvFile()
    except OSError as fault:
        return EnvFile(faults=[f"{path}: cannot be read: {fault.strerror}"], whole=False)
    except UnicodeDecodeError as fault:
        line_number = fault.object[: fault.start].count(b"\n") + 1
        return EnvFile(faults=[f"{path}: is not UTF-8 (line {line_number}); save it as UTF-8"], whole=False)
    except ValueError as fault:
        return EnvFile(faults=[f"{path}: {fault}"], whole=False)
    return _parsed(path, text.replace("\r\n", "\n").replace("\r", "\n"), known)


def _parsed(path: Path, text: str, known: Collection[str]) -> EnvFile:
    """Return what the text has, line by line; `at` is the position where the next line begins."""
    found, at = EnvFile(), 0
    while at < len(text):
        where = f"{path}, line {text.count(chr(10), 0, at) + 1}"
        line = _EMPTY.match(text, at) or _LINE.match(text, at)
        if line is None:
            end = text.find("\n", at)
            end = len(text) if end < 0 else end
            faults = _no_assignment(where, text[at:end], known)
            found.faults += faults
            found.whole = found.whole and not faults
            at = end + 1
            continue
        at = line.end()
        if name := line.groupdict().get("name"):  # None for an empty line: `_EMPTY` has no such group
            found.values[name] = _value(line)
            found.faults += [f"{name}: {fault} ({where})" for fault in _ambiguous(line) if name in known]
    return found


def _value(line: "re.Match[str]") -> str:
    if line["quote"] is None:
        return str(line["bare"])
    if line["quote"] == '"':
        return str(line["quoted"]).replace("\\n", "\n").replace("\\r", "\r")
    return str(line["quoted"])


def _ambiguous(line: "re.Match[str]") -> list[str]:
    """Return what other programs would read differently in a line, for people; empty if nothing."""
    if line["quote"] is not None:
        return []
    bare, comment = line["bare"], line["comment"]
    if bare[:1] in {"'", '"', "`"}:
        return ["has a quotation mark that is never closed"]
    before_comment = bare or line["space"]
    if comment and not before_comment[-1:].isspace():
        return ["has a #, which begins a comment for some programs; put the value in 'quotation marks'"]
    return []


def _no_assignment(where: str, line: str, known: Collection[str]) -> list[str]:
    """Return the fault of a line that is no assignment, in a list. The list is empty if the line has only a name, and
    that is not `known`.
    """
    bare = _BARE_NAME.fullmatch(line)
    if bare and bare[1] not in known:
        return []  # Docker's env files have lines with a name alone, to pass a variable on
    # Never show the line itself: it may be a part of a key.
    return [f"{bare[1]}: has no = ({where})" if bare else f"{where}: is not NAME=value"]
