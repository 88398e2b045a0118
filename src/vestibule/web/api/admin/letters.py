"""Handlers that look after the outbox for operators."""

from starlette.responses import Response

from vestibule.flows.look_after_mail import count_letters, read_outbox_page, retry_letters
from vestibule.web.api import answers
from vestibule.web.api.admin import installation_answers as shown
from vestibule.web.api.admin.cursors import letter_position_of
from vestibule.web.caller import EnvDep
from vestibule.web.operator_guard import ActingOperator


async def list_letters(env: EnvDep, refused: bool = False, after: str = "") -> Response:
    """List up to 50 emails that wait or were refused by the mail server, the oldest first; with `refused=true`, only
    those refused for good. Send `next` as `after` for the next ones, until it is null. Shows neither content nor links.
    """
    page = await read_outbox_page(env, letter_position_of(after), refused=refused)
    return answers.as_json(shown.ListedLetters.of(page, await count_letters(env)))


async def retry_all(env: EnvDep, operator: ActingOperator) -> Response:
    """Try again, at once, every email that failed or was refused. A running server sends it within a second."""
    return _retried(await retry_letters(env, None, operator))


async def retry_one(env: EnvDep, operator: ActingOperator, letter_id: str) -> Response:
    """Try one email again, at once, if it failed or was refused; otherwise `retried` is 0."""
    return _retried(await retry_letters(env, [letter_id], operator))


def _retried(count: int) -> Response:
    return answers.as_json(shown.LettersRetried(data=shown.RetriedData(retried=count)))
