"""List the generated pages, each with the function that makes it."""

from collections.abc import Callable
from pathlib import Path

from tools.docs import api, metrics, security, settings

PAGES: dict[Path, Callable[[], str]] = {
    settings.PAGE: settings.settings_page,
    api.PAGE: api.api_page,
    security.PAGE: security.security_page,
    metrics.PAGE: metrics.metrics_page,
}


def stale() -> list[str]:
    """Return the names of the generated pages that are out of date."""
    return [path.name for path, page in PAGES.items() if not path.exists() or path.read_text() != page()]
