"""What a server says of its settings at each start: those that weaken it, and that nobody may have meant to."""

from collections.abc import Iterator

from vestibule.doctor import mail, proxies, settings
from vestibule.model.findings import Finding, Severity
from vestibule.settings import Settings


def look(chosen: Settings) -> Iterator[Finding]:
    """What the doctor warns of that can be seen without asking another server. Hints are left to the doctor."""
    found = [*settings.look(chosen), *proxies.believed_of_all(chosen), *mail.sent_in_clear(chosen)]
    yield from (finding for finding in found if finding.severity is Severity.WARNING)
