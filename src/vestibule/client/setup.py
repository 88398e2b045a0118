"""What is wrong with the service key or the URL, as opposed to an outage, which passes by itself."""

import asyncio
import logging

from vestibule.client import wire
from vestibule.client.complaints import Complaints
from vestibule.client.errors import NotReachedError, NotVestibuleError, ServiceRefusedError

FEED, KEYS = "the feed of revocations", "the keys"
_log = logging.getLogger(__name__)


class Setup:
    """How it went, the last time that each of the two was asked for. Written in the background's loop only."""

    def __init__(self, complaints: Complaints | None = None) -> None:
        self._complaints = complaints or Complaints()
        self._faults: dict[str, NotReachedError] = {}
        self._tried: set[str] = set()
        self.all_tried = asyncio.Event()
        """Set when each has had an answer, or none, or when something is known to be wrong."""

    @property
    def fault(self) -> NotReachedError | None:
        """What an operator has to mend before anything can work; None where nothing is known to be wrong."""
        return next(iter(self._faults.values()), None)

    def worked(self, what: str) -> None:
        """It was answered as it should be."""
        self._faults.pop(what, None)
        self._note(what)

    def failed(self, what: str, fault: Exception) -> None:
        """It was not. Says so in the log, once a minute, and as an error where it will not pass by itself."""
        if isinstance(fault, ServiceRefusedError | NotVestibuleError):
            if str(self._faults.get(what)) != str(fault):
                _log.error("%s cannot be had before this is mended: %s", what, fault)
            self._faults[what] = fault
            self.all_tried.set()
        else:
            self._faults.pop(what, None)
            self._complaints.warn(f"{what} could not be had", wire.why(fault))
        self._note(what)

    def clocks_differ(self, seconds: float) -> None:
        """Say so, once a minute: it passes as soon as either is set right."""
        why = f"{abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}; nobody is let in before both keep time: "
        self._complaints.warn("this machine's clock against Vestibule's", f"{why}timedatectl set-ntp true")

    def _note(self, what: str) -> None:
        self._tried.add(what)
        if self._tried >= {FEED, KEYS}:
            self.all_tried.set()
