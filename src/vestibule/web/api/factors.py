"""Handlers for the caller's second factors: list, add and remove them, and make new recovery codes."""

from io import BytesIO

import segno
from starlette.responses import Response

from vestibule.flows import enrol_totp, my_factors
from vestibule.flows.cancel_factor_reset import cancel_my_reset
from vestibule.flows.new_totp import NewTotp
from vestibule.web.api import answers, bodies, factor_answers
from vestibule.web.body import Sent
from vestibule.web.caller import ClientInfoDep, EnvDep, SignedInCaller


async def list_factors(env: EnvDep, caller: SignedInCaller) -> Response:
    """List the second factors of the account, without their secrets."""
    mine = await my_factors.list_factors(env, caller)
    totp = factor_answers.ShownTotp.of(mine.totp) if mine.totp else None
    reset = factor_answers.ShownReset.of(mine.reset) if mine.reset else None
    data = factor_answers.FactorsData(totp=totp, recovery_codes_left=mine.recovery_codes_left, reset=reset)
    return answers.as_json(factor_answers.Factors(data=data))


async def begin_totp(env: EnvDep, caller: SignedInCaller) -> Response:
    """Make the secret of an authenticator app. The app is no factor until one of its codes was confirmed."""
    return totp_to_add(await enrol_totp.begin_totp(env, caller))


async def confirm_totp(
    env: EnvDep, caller: SignedInCaller, sent: Sent[bodies.ConfirmTotp], client_info: ClientInfoDep
) -> Response:
    """Confirm the new authenticator app with one of its codes. It replaces the earlier app."""
    added = await enrol_totp.confirm_totp(env, caller, sent.code, client_info, end_others=sent.end_others)
    codes = list(added.recovery_codes)
    data = factor_answers.FactorAddedData(recovery_codes=codes, other_sessions=added.other_sessions)
    return answers.as_json(factor_answers.FactorAdded(data=data))


async def remove_totp(
    env: EnvDep, caller: SignedInCaller, sent: Sent[bodies.ChangeFactors], client_info: ClientInfoDep
) -> Response:
    """Remove the authenticator app. With the last factor, the recovery codes go too."""
    await my_factors.remove_totp(env, caller, client_info, end_others=sent.end_others)
    return answers.as_json(answers.Success())


async def cancel_reset(env: EnvDep, caller: SignedInCaller, client_info: ClientInfoDep) -> Response:
    """Cancel the reset of the account's second factors: the factors stay. Any session of the account may cancel it."""
    await cancel_my_reset(env, caller, client_info)
    return answers.as_json(answers.Success())


async def make_recovery_codes(
    env: EnvDep, caller: SignedInCaller, sent: Sent[bodies.ChangeFactors], client_info: ClientInfoDep
) -> Response:
    """Make ten new recovery codes, in place of all earlier ones."""
    codes = await my_factors.make_recovery_codes(env, caller, client_info, end_others=sent.end_others)
    data = factor_answers.RecoveryCodesData(recovery_codes=list(codes))
    return answers.as_json(factor_answers.RecoveryCodes(data=data))


def totp_to_add(new: NewTotp) -> Response:
    """Return the response with what an authenticator app needs."""
    data = factor_answers.NewTotpData(key=new.key, uri=new.uri, qr=qr_code(new.uri))
    return answers.as_json(factor_answers.NewTotp(data=data))


def qr_code(text: str) -> str:
    """Return the text as a QR code: an SVG element that can stand in a page."""
    svg = BytesIO()
    # Without the XML declaration and the line break of a file. The light squares are white, also on a dark page: many
    # apps read nothing else.
    segno.make_qr(text).save(svg, kind="svg", scale=4, xmldecl=False, svgns=True, nl=False, light="#fff")
    return svg.getvalue().decode()
