"""Tell a wrong service key or URL, which an operator must correct, from an outage, which passes by itself."""

import asyncio
import logging

import httpx

from vestibule.client import reasons, wire
from vestibule.client.errors import NotReachedError, NotVestibuleError, ServiceRefusedError
from vestibule.client.throttled_warnings import ThrottledWarnings
from vestibule.protocol.clocks import MAX_APART_SECONDS

FEED, KEYS = "the feed of revocations", "the keys"
_AGAIN = {FEED: f"{FEED} is fetched again", KEYS: f"{KEYS} are fetched again"}
_POLLED = "asking once a second instead, so that a sign-out is noticed up to two seconds later"
_BUFFERED = (
    f"connected, and no heartbeat in {wire.READ_SECONDS:g} s: something in between buffers it, a proxy; "
    f"{_POLLED}. Turn buffering off for /api/revocations there"
)
_CUT = (
    f"streams fail ({{}}), and polls are answered: something in between ends or refuses them, a proxy; {_POLLED}. "
    "Let streams of /api/revocations last there"
)


class Setup:
    """The outcomes of the latest requests for the keys and for the feed. Written only in the background loop."""

    def __init__(self, warnings: ThrottledWarnings | None = None, base: str = "Vestibule") -> None:
        self._warnings = warnings or ThrottledWarnings()
        self._base = base
        self._faults: dict[str, NotReachedError] = {}
        self._logged_corrections: dict[str, str] = {}
        self._failing: set[str] = set()
        self._tried: set[str] = set()
        self._held_back = False
        self.all_tried = asyncio.Event()
        """Set when keys and feed were each requested once, with success or not, or as soon as an operator must correct
        something.
        """

    @property
    def fault(self) -> NotReachedError | None:
        """Return what an operator must correct; None if nothing is known to be wrong."""
        return next(iter(self._faults.values()), None)

    def note_fetched(self, what: str) -> None:
        """Note that `what`, which is `FEED` or `KEYS`, was fetched."""
        self.note_answered(what)
        if what in self._failing:
            self._failing.discard(what)
            self._warnings.note(_AGAIN[what])

    def note_answered(self, what: str) -> None:
        """Note that Vestibule answered, perhaps with old data: the service key and the URL are right."""
        self._faults.pop(what, None)
        self._logged_corrections.pop(what, None)
        self._note_tried(what)

    def note_failed(self, what: str, fault: Exception) -> None:
        """Note that `what` could not be fetched. Logs a warning, or an error that says what to correct: each at most
        once a minute, and the same error not again before an answer was right.
        """
        if isinstance(fault, ServiceRefusedError | NotVestibuleError):
            self._say_once(what, str(fault))
            self._faults[what] = fault
            self.all_tried.set()
        else:
            self._faults.pop(what, None)
            self._failing.add(what)
            self._warnings.warn(f"{what} could not be fetched from {self._base}", reasons.why(fault))
        self._note_tried(what)

    def note_held_back(self, fault: Exception) -> None:
        """Warn that polls are answered and streams are not: `fault` ended the last one. Warns once, until
        `note_streaming` is called.
        """
        if not self._held_back:
            why = _BUFFERED if isinstance(fault, httpx.ReadTimeout) else _CUT.format(reasons.why(fault))
            self._held_back = self._warnings.warn(FEED, why)

    def note_streaming(self) -> None:
        """Note that the feed comes as a stream again."""
        if self._held_back:
            self._held_back = False
            self._warnings.note(f"{FEED} comes as a stream again")

    def clocks_differ(self, seconds: float, leeway: float) -> None:
        """Warn, once a minute, that this machine's clock is `seconds` ahead of Vestibule's, or behind if negative."""
        apart = abs(seconds)
        side, part = ("ahead", "last") if seconds > 0 else ("behind", "first")
        lost = f"in its {part} {apart - leeway:.0f} s" if apart <= MAX_APART_SECONDS else "at any time"
        why = f"{apart:.0f} s {side}, so that each token is refused {lost} until both agree: timedatectl set-ntp true"
        self._warnings.warn("this machine's clock against Vestibule's", why)

    def _say_once(self, what: str, correction: str) -> None:
        about = f"{what} cannot be fetched until this is corrected"
        if self._logged_corrections.get(what) != correction and self._warnings.warn(about, correction, logging.ERROR):
            self._logged_corrections[what] = correction

    def _note_tried(self, what: str) -> None:
        self._tried.add(what)
        if self._tried >= {FEED, KEYS}:
            self.all_tried.set()
