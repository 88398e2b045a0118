"""What a server warns of at each start: settings that weaken it, perhaps unintentionally."""

from collections.abc import Iterator

from vestibule.doctor import mail, proxies, redis, settings
from vestibule.model.findings import Finding, Severity
from vestibule.settings.fields import Settings


def look(chosen: Settings) -> Iterator[Finding]:
    """Yield the doctor's warnings that need no other server. Hints are left to the doctor."""
    in_clear = (*mail.sent_in_clear(chosen), *redis.sent_in_clear(chosen))
    found = (*settings.look(chosen), *proxies.believed_of_all(chosen), *in_clear)
    yield from (finding for finding in found if finding.severity is Severity.WARNING)
