"""A code that is typed on a page: which kind the form asked for, and what the page says if it is refused."""

from collections.abc import Sequence

from starlette.requests import Request

from vestibule.model.factor_errors import SecondFactorPaused, WrongCode
from vestibule.model.factors import FactorKind
from vestibule.web.pages import render
from vestibule.web.pages.code_words import CODES_PAUSED, PAUSED_UNTIL, WRONG_CODES, WRONG_RECOVERY_CODE
from vestibule.web.pages.form import form_values
from vestibule.web.pages.words import Sentence, faults_of
from vestibule.web.request_errors import BodyInvalid
from vestibule.web.site import site_of

BY = "by"
"""The field, and the parameter of the page, with the kind of proof that is asked for."""
CODE_REFUSALS = (BodyInvalid, WrongCode, SecondFactorPaused)


def shown_kinds(request: Request, kinds: Sequence[str]) -> tuple[list[str], str]:
    """Return the kinds of proof that the page can ask for, and the one to ask for: the kind that the URL names, or the
    first. Without any kind, ask for a recovery code.
    """
    can_use_passkeys = site_of(request).policy.relying_party is not None
    shown = [str(kind) for kind in kinds if can_use_passkeys or kind != FactorKind.PASSKEY]
    chosen = request.query_params.get(BY, "")
    return shown, chosen if chosen in shown else next(iter(shown), FactorKind.RECOVERY_CODE.value)


def sent_kind(request: Request) -> str:
    """Return the kind of proof that the form asked for."""
    return form_values(request).get(BY, FactorKind.TOTP.value)


def code_faults(request: Request, refusal: BodyInvalid | WrongCode | SecondFactorPaused) -> dict[str, Sentence]:
    """Return what is wrong with the code, by field."""
    if isinstance(refusal, BodyInvalid):
        return faults_of(refusal.entries)
    if isinstance(refusal, SecondFactorPaused):
        return {"code": _paused(request, refusal)}
    is_recovery_code = sent_kind(request) == FactorKind.RECOVERY_CODE
    return {"code": WRONG_RECOVERY_CODE if is_recovery_code else WRONG_CODES[type(refusal)]}


def _paused(request: Request, paused: SecondFactorPaused) -> Sentence:
    if paused.retry_after_seconds is None:
        return CODES_PAUSED
    return PAUSED_UNTIL, {"when": render.waiting_time(request, paused.retry_after_seconds)}
