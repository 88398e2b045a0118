"""Add the id of the current request to the detail of events and of queued letters."""

from collections.abc import Mapping

from structlog.contextvars import get_contextvars

from vestibule.model.events import REQUEST_ID


def with_request_id(detail: Mapping[str, str]) -> dict[str, str]:
    """Return the detail with the id of the current request; a copy of it outside of requests."""
    identifier = get_contextvars().get(REQUEST_ID)
    return {**detail, REQUEST_ID: identifier} if identifier else dict(detail)
