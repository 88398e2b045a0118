"""Find settings that weaken a server, perhaps unintentionally. A server logs these warnings at each start."""

from collections.abc import Iterator

import structlog

from vestibule.doctor import mail, proxies, redis, weak_settings
from vestibule.model.findings import Finding, Severity
from vestibule.settings.fields import Settings

_log = structlog.get_logger(__name__)


def log_weaknesses(settings: Settings) -> None:
    """Log a warning for each setting that weakens the server, and for what keeps emails from their readers. The server
    starts all the same, because the setting may be intended.
    """
    for finding in check(settings):
        _log.warning("setting_weakens", what=finding.what, why=finding.why, remedy=finding.remedy)
    for finding in mail.stranded(settings):
        _log.warning("emails_may_not_arrive", what=finding.what, why=finding.why, remedy=finding.remedy)


def check(settings: Settings) -> Iterator[Finding]:
    """Yield the doctor's warnings that need no connection to another server. Leaves out the doctor's hints."""
    in_clear = (*mail.sent_in_clear(settings), *redis.sent_in_clear(settings))
    found = (*weak_settings.check(settings), *proxies.trusted_too_widely(settings), *in_clear)
    yield from (finding for finding in found if finding.severity is Severity.WARNING)
