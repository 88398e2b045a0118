"""`model.devices.KnownDevices` in SQL."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert

from vestibule.model.devices import DEVICES_OF_ACCOUNT, MOST_DELETED_AT_ONCE
from vestibule.storage.sql.batches import deletion_of_oldest
from vestibule.storage.sql.driver import DriverConnection
from vestibule.storage.sql.instant import Instant
from vestibule.storage.sql.prepared import Prepared
from vestibule.storage.sql.schema import known_devices

_d = known_devices.c
_ACCOUNT = bindparam("of_account", type_=_d.account_id.type)
_DIGEST = bindparam("of_digest", type_=_d.digest.type)
_NOW = bindparam("now", type_=Instant)
_THIS_ACCOUNT = _d.account_id == _ACCOUNT
_SEEN = Prepared(
    update(known_devices).where(_THIS_ACCOUNT, _d.digest == _DIGEST).values(last_seen_at=_NOW).returning(_d.digest)
)
# Devices stored before the column `place` existed have NULL. They use place 0, as signed-in callers do whose device is
# not known (`model/login_attempts.py`).
_ITS_PLACE = func.coalesce(_d.place, 0)
_PLACE = Prepared(
    select(func.max(_ITS_PLACE)).where(_THIS_ACCOUNT, _d.digest.in_(bindparam("of_digests", expanding=True)))
)
_SOME_PLACES = (
    select(_ITS_PLACE.label("place")).where(_THIS_ACCOUNT).limit(DEVICES_OF_ACCOUNT + MOST_DELETED_AT_ONCE).subquery()
)
_PLACES = Prepared(select(_SOME_PLACES.c.place, func.count()).group_by(_SOME_PLACES.c.place))
_ADD = Prepared(
    insert(known_devices)
    .values(account_id=_ACCOUNT, digest=_DIGEST, created_at=_NOW, last_seen_at=_NOW, place=bindparam("in_place"))
    .on_conflict_do_nothing()
)
_DELETE_LONGEST_UNSEEN = deletion_of_oldest(known_devices, _THIS_ACCOUNT, _d.last_seen_at)
_later = known_devices.alias()
# Each account keeps its device that was seen last.
_ANOTHER_SEEN_LATER = exists().where(_later.c.account_id == _d.account_id, _later.c.last_seen_at > _d.last_seen_at)
_PURGE_UNSEEN = deletion_of_oldest(
    known_devices, and_(_d.last_seen_at < bindparam("before", type_=Instant), _ANOTHER_SEEN_LATER), _d.last_seen_at
)
_DELETE_OF = Prepared(delete(known_devices).where(_THIS_ACCOUNT))


class SqlKnownDevices:
    """Implements `KnownDevices`."""

    def __init__(self, connection: DriverConnection) -> None:
        self._connection = connection

    async def seen(self, account_id: str, digest: str, now: datetime) -> bool:
        seen = await self._connection.execute(_SEEN, {"of_account": account_id, "of_digest": digest, "now": now})
        return seen.one_or_none() is not None

    async def place(self, account_id: str, digests: Sequence[str]) -> int | None:
        which = {"of_account": account_id, "of_digests": list(digests)}
        place: int | None = (await self._connection.execute(_PLACE, which)).scalar_one()
        return place

    async def places(self, account_id: str) -> Mapping[int, int]:
        found = await self._connection.execute(_PLACES, {"of_account": account_id})
        return {place: number for place, number in found}  # noqa: C416  # `dict` takes no iterator of rows

    async def delete_longest_unseen(self, account_id: str, number: int) -> None:
        await self._connection.execute(_DELETE_LONGEST_UNSEEN, {"of_account": account_id, "most": number})

    async def add(self, account_id: str, digest: str, now: datetime, place: int) -> None:
        device = {"of_account": account_id, "of_digest": digest, "now": now, "in_place": place}
        await self._connection.execute(_ADD, device)

    async def delete_of(self, account_id: str) -> None:
        await self._connection.execute(_DELETE_OF, {"of_account": account_id})

    async def purge_unseen(self, before: datetime, most: int) -> int:
        return (await self._connection.execute(_PURGE_UNSEEN, {"before": before, "most": most})).rowcount
