"""Write what is stored about somebody as one JSON object, in parts: the file of an export. Nothing in it signs in.

The command line and the pages give the same file.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from vestibule.flows.my_data import MyData
from vestibule.model.events import Event
from vestibule.model.sessions import Session


async def data_as_json(mine: MyData) -> AsyncIterator[str]:
    """Yield the text of one JSON object in parts, with each record on a line of its own. The lists are read from the
    database page by page, while the parts before are sent.
    """
    account = asdict(mine.account)
    del account["password_hash"]
    yield f'{{\n"account": {_as_json(account)},\n"factors": {_as_json(_factors(mine))}'
    async for part in _list_parts("live", mine.live):
        yield part
    async for part in _list_parts("past", mine.past):
        yield part
    async for part in _list_parts("events", mine.events):
        yield part
    yield "\n}\n"


def _factors(mine: MyData) -> dict[str, Any]:
    """Return the second factors, without what signs in: neither the secret of the app nor a code."""
    totp = mine.factors.totp
    shown = ("created_at", "confirmed_at", "last_used_at")
    app = {name: getattr(totp, name) for name in shown} if totp else None
    passkeys = [asdict(passkey) for passkey in mine.passkeys]
    return {"totp": app, "recovery_codes_left": mine.factors.recovery_codes_left, "passkeys": passkeys}


async def _list_parts(
    name: str, pages: AsyncIterator[Sequence[Session]] | AsyncIterator[Sequence[Event]]
) -> AsyncIterator[str]:
    """Yield the text of the member `name`, whose value is a list of the records in these pages."""
    yield f',\n"{name}": [\n'
    separator = ""
    async for page in pages:
        yield separator + ",\n".join(_as_json(asdict(record)) for record in page)
        separator = ",\n"
    yield "\n]" if separator else "]"


def _as_json(members: dict[str, Any]) -> str:
    return json.dumps(members, default=_as_text, ensure_ascii=False)


def _as_text(value: Any) -> str:
    """Return a time as text, for `json.dumps`; raises `TypeError` for any other type."""
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value))
