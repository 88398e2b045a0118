"""The last form of each browser at each page, and its answer, for some seconds (`web.pages.sent_twice`)."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b

from vestibule.crypto.entropy import random_bytes
from vestibule.protocol.tasks import shared_result

KEPT_FOR = timedelta(seconds=10)
MOST_FORMS = 1000
"""How many forms are remembered; a new one replaces the oldest."""

Headers = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class _Sent:
    """A form, as its digest, that arrived at `at`, and the headers of its answer; None if that must not be repeated."""

    form: bytes
    at: datetime
    answer: asyncio.Future[Headers | None]


class SentForms:
    """Forms that were answered a moment ago, in this process."""

    def __init__(self) -> None:
        self._key = random_bytes(32)
        self._sent: dict[bytes, _Sent] = {}

    def digest(self, *parts: bytes) -> bytes:
        """Return a digest of the parts, with a key of this process, because a form may have a password in it."""
        digest = blake2b(key=self._key, digest_size=32)
        for part in parts:
            digest.update(len(part).to_bytes(8, "big") + part)
        return digest.digest()

    async def repeated(self, page: bytes, form: bytes, now: datetime) -> Headers | None:
        """Return the headers of the answer to this form, if it is the last form of its page and the answer may be
        repeated; otherwise None. Wait for an answer that is on its way. `page` and `form` are digests: that of the page
        is of its path and of what tells the browser.
        """
        before = self._sent.get(page)
        if before is None or before.form != form or now - before.at > KEPT_FOR:
            return None
        return await shared_result(before.answer)

    async def remember(
        self, page: bytes, form: bytes, now: datetime, answer: Callable[[], Awaitable[Headers | None]]
    ) -> None:
        """Remember a form as the last one of its page, with what `answer` returns. Raises what `answer` raises."""
        sent = _Sent(form, now, asyncio.get_running_loop().create_future())
        self._sent.pop(page, None)
        self._sent[page] = sent
        self._drop_old(now)
        try:
            sent.answer.set_result(await answer())
        finally:
            if not sent.answer.done():
                sent.answer.set_result(None)

    def _drop_old(self, now: datetime) -> None:
        for page, sent in list(self._sent.items()):
            if len(self._sent) <= MOST_FORMS and now - sent.at <= KEPT_FOR:
                break
            del self._sent[page]
