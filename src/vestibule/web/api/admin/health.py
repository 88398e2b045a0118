"""What the doctor found, for operators."""

from starlette.requests import Request
from starlette.responses import Response

from vestibule.web.api import answers
from vestibule.web.api.admin import health_answers
from vestibule.web.site import site_of


async def show_health(request: Request) -> Response:
    """What the doctor finds wrong, and how to mend it. It examines at most once in five minutes, in each process; while
    that takes longer than ten seconds, `examined_at` is null and there are no findings yet.
    """
    return answers.as_json(health_answers.Health.of(await site_of(request).health.latest()))
