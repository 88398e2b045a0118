"""What the doctor found, on the console: what is wrong first, each with the way to mend it."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.model.findings import Severity
from vestibule.web.pages import render
from vestibule.web.site import site_of

_WORST_FIRST = (Severity.FAULT, Severity.WARNING, Severity.HINT)


async def show(request: Request) -> Response:
    """Show the latest report of the doctor. The report is in English, as the output of commands is."""
    report = await site_of(request).health.latest()
    findings = report.findings if report else ()
    return render.page(
        request,
        "console/health.html",
        report=report,
        wrong=[finding for severity in _WORST_FIRST for finding in findings if finding.severity is severity],
        fine=[finding for finding in findings if finding.severity is Severity.FINE],
    )
