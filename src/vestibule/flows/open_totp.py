"""Open the sealed secret of an authenticator app. If it cannot be opened, the app is not skipped: it stays required."""

import structlog

from vestibule.crypto.seal import CannotUnseal, Seal
from vestibule.flows.env import Env
from vestibule.model.factor_errors import TotpUnavailable
from vestibule.model.totp import Totp, open_secret

_log = structlog.get_logger(__name__)
_NO_SECRET = "set VESTIBULE_SECRET_KEY: the secrets of authenticator apps are sealed under it"
_OTHER_SECRET = (
    "VESTIBULE_SECRET_KEY is not the one that this app was sealed under; restore that key, or its owner signs "
    "in with a recovery code or a passkey and adds the app anew"
)


def require_seal(env: Env) -> Seal:
    """Return the seal; raises `TotpUnavailable` if this installation has no secret to seal under."""
    if env.seal is None:
        _log.error("totp_unavailable", hint=_NO_SECRET)
        raise TotpUnavailable
    return env.seal


def open_totp(env: Env, totp: Totp) -> bytes:
    """Return the secret of an app; raises `TotpUnavailable` if it cannot be opened."""
    try:
        return open_secret(require_seal(env), totp)
    except CannotUnseal:
        _log.error("totp_unavailable", account_id=totp.account_id, hint=_OTHER_SECRET)
        raise TotpUnavailable from None
