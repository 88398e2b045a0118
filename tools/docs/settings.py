"""Make `docs/settings.md` from the groups of the settings."""

from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from tests.docs.paths import DOCS
from tools.docs.tables import MADE, table
from vestibule.settings.fields import GROUPS, name_of
from vestibule.settings.groups.group import Group
from vestibule.settings.types import Switch

PAGE = DOCS / "settings.md"
_TWO_MINUTES = 120
_UNITS = {"day": 86400, "hour": 3600, "minute": 60, "second": 1}
SETTINGS_INTRODUCTION = """
On your own machine nothing has to be set. In production most installations set seven: `NODE_ENV`, `VESTIBULE_URL`,
`ORIGIN`, `DATABASE_URL`, `VESTIBULE_SECRET_KEY`, `EMAIL_HOST` and `VESTIBULE_TRUSTED_PROXIES`. `vestibule doctor` says
what else is missing.

Every setting is an environment variable, or a line of the file `.env` in the folder where the server starts; the
environment wins. All are read once, at the start. A wrong value stops the start, and so does an unknown name that
begins with `VESTIBULE_`: one line names each setting that is wrong, all of them in one run. Other names in `.env` may
be another program's: one that is like a name below (`ORIGN`, `EMAIL_PASSWORD`) is a line in the log of the server and a
hint of the doctor, and no more.

White space at the ends of a value is dropped, and an empty value counts as unset. A switch takes `on` or `off`; `true`,
`yes` and `1`, `false`, `no` and `0` say the same, in small letters or capitals.

`.env` is UTF-8 and read as Node's dotenv reads it: `NAME=value`, one a line, perhaps with `export` in front; `'…'`,
`"…"` or `` `…` `` around a value that has a `#` or several lines; nothing is expanded, a `$` is a dollar sign. It
has at most 1 MB. Like every file that a setting names, it is a regular file; `/dev/null` counts as an empty one.
"""


def settings_page() -> str:
    """Return `docs/settings.md`."""
    parts = ["# Settings", MADE, SETTINGS_INTRODUCTION.strip(), _contents()]
    for group in GROUPS:
        rows = [_setting(field) for field in own_settings(group)]
        when = " ".join((group.__doc__ or "").split())
        parts += [f"## {group.title}", when, table(("setting", "default", "may be", "what it does"), rows)]
    return "\n\n".join(parts) + "\n"


def own_settings(group: type[Group]) -> list[FieldInfo]:
    """Return the settings of a group, in its order."""
    return list(group.model_fields.values())


def _contents() -> str:
    """Return the table of contents: a link to each group."""
    links = ((group.title, group.title.lower().replace(" ", "-").replace(",", "")) for group in GROUPS)
    return "\n".join(f"* [{title}](#{anchor})" for title, anchor in links)


def _setting(field: FieldInfo) -> tuple[str, ...]:
    shown = field.json_schema_extra
    assert isinstance(shown, dict)
    default = f"unset: {shown['unset']}" if shown["unset"] else _default(field)
    return f"`{name_of(field)}`", default, str(shown["takes"]) or _limits(field), field.description or ""


def _default(field: FieldInfo) -> str:
    """Return the default as people write it; a time of two minutes or more also in days, hours or minutes."""
    value = field.default
    written = _written(value)
    if name_of(field).endswith("_SECONDS") and isinstance(value, int) and value >= _TWO_MINUTES:
        return f"{written} ({_in_words(value)})"
    return written


def _in_words(seconds: int) -> str:
    unit, length = next((unit, length) for unit, length in _UNITS.items() if seconds % length == 0)
    number = seconds // length
    return f"{number} {unit}{'s' if number > 1 else ''}"


def _written(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        value = "on" if value else "off"
    if isinstance(value, tuple):
        value = ",".join(value)
    return f"`{value}`" if value != "" else "unset"


def _limits(field: FieldInfo) -> str:
    if get_origin(field.annotation) is Literal:
        *choices, last = (f"`{choice}`" if choice else "unset" for choice in get_args(field.annotation))
        return f"{', '.join(choices)} or {last}"
    if field.annotation is bool or Switch in get_args(field.annotation):
        return "`on` or `off`"
    bounds = {name: getattr(rule, name) for rule in field.metadata for name in ("ge", "le") if hasattr(rule, name)}
    if {"ge", "le"} <= bounds.keys():
        return f"{bounds['ge']:,} to {bounds['le']:,}"
    return f"{bounds['ge']:,} or more" if bounds else ""
