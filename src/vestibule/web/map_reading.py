"""Read the URL map: which of its lines this installation has, and the methods at a path."""

import re
from collections.abc import Sequence
from typing import TypeVar

from vestibule.model.impersonation import Impersonation
from vestibule.model.operators import Console
from vestibule.model.permissions import Permission
from vestibule.model.policy import Policy
from vestibule.web import routes
from vestibule.web.admin_routes import ADMIN_PAGES, ADMIN_ROUTES
from vestibule.web.map_lines import Line

ROUTES = routes.ROUTES + ADMIN_ROUTES
"""Every route of the API."""
PAGES = routes.PAGES + ADMIN_PAGES
"""Every page but those of development."""
AnyLine = TypeVar("AnyLine", bound=Line)
# Paths that exist only where signing in by an emailed code is switched on.
_OF_EMAIL_CODES = ("/api/auth/email-code", "/login/email-code")


def switched_on(lines: Sequence[AnyLine], policy: Policy) -> list[AnyLine]:
    """Return the lines of the map that this installation has."""
    return [line for line in lines if _is_on(line, policy)]


def _is_on(line: Line, policy: Policy) -> bool:
    if line.permission is not None and policy.console is Console.OFF:
        return False
    if line.permission is Permission.PEOPLE_IMPERSONATE and policy.impersonation is Impersonation.OFF:
        return False
    return policy.email_codes or not line.path.startswith(_OF_EMAIL_CODES)


def methods_at(path: str, policy: Policy) -> list[str]:
    """Return the methods that the map has for a path, and HEAD if there is GET; empty for an unknown path. A line with
    exactly this path comes before lines whose parameters would match it.
    """
    lines: list[Line] = [*switched_on(ROUTES, policy), *switched_on(PAGES, policy)]
    exact = {line.method for line in lines if line.path == path}
    found = exact or {line.method for line in lines if _pattern(line.path).fullmatch(path)}
    return sorted(found | {"HEAD"}) if "GET" in found else sorted(found)


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
