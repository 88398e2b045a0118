"""The refusals that several lines of the URL map share. The map imports this module as `no`: `no.TOKEN` are the
refusals of an access token that is not accepted.
"""

from vestibule.model import errors as e
from vestibule.model import factor_errors as fe
from vestibule.model import operator_errors as oe
from vestibule.web.request_errors import BodyMalformed, BodyTooLarge, CrossSite, CrossSiteRefresh, UnsupportedMedia

TOKEN = (e.NotSignedIn, e.AccessTokenInvalid, e.SessionOver)
OWNER = (*TOKEN, oe.NotWhileActing)
SIGN_IN = (e.WrongCredentials, e.TooManyAttempts, e.EmailNotVerified, CrossSite)
PASSKEY_STEP = (fe.PasskeysUnavailable, fe.CeremonyOver, fe.PasskeyRefused, fe.PasskeyUnknown)
PASSKEY = (*PASSKEY_STEP, fe.PasskeyNeedsPassword, e.EmailNotVerified, CrossSite)
LOST_FACTORS = (fe.NoPendingSignIn, fe.FactorResetUnavailable, fe.FactorResetUnderWay, CrossSite)
SECOND_STEP = (fe.NoPendingSignIn, fe.SecondFactorPaused, *fe.TYPED_AGAIN, fe.TotpUnavailable, CrossSite)
SIGN_OUT = (*TOKEN, CrossSite)
REFRESH = (e.RefreshRefused, CrossSiteRefresh)
HOLDER = (*OWNER, CrossSite, fe.RefreshTokenRequired)
CHANGE = (*HOLDER, e.WrongPassword, e.TooManyAttempts, e.ReauthenticationRequired)
NEW_TOKENS = (*CHANGE, fe.SecondFactorEnrolmentRequired)
CODE = (*fe.TYPED_AGAIN, fe.SecondFactorPaused, fe.TotpUnavailable)
NEW_APP = (fe.WrongCode, fe.CodeOfAnotherTime, fe.FactorUnknown, fe.TotpUnavailable)
STEP_UP = (*NEW_TOKENS, *CODE, *PASSKEY_STEP)
NEW_PASSKEY = (fe.PasskeysUnavailable, fe.CeremonyOver, fe.PasskeyRefused, fe.PasskeyTaken, fe.TooManyPasskeys)
ENROLMENT = (fe.NoPendingSignIn, fe.SecondFactorRequired, CrossSite)
FACTOR = (*HOLDER, e.ReauthenticationRequired)
INTROSPECTION = (e.ServiceKeyInvalid, e.TooManyRequests, BodyMalformed, BodyTooLarge, UnsupportedMedia)
RESET = (e.ResetTokenInvalid, e.PasswordTooEasy, CrossSite)
OPERATOR = (*OWNER, fe.RefreshTokenRequired, oe.PermissionMissing, e.ReauthenticationRequired)
"""What every line for operators can refuse with."""
ACT = (*HOLDER, oe.PermissionMissing, e.ReauthenticationRequired)
"""What every line by which operators change something can refuse with."""
ACT_ON_PERSON = (*ACT, oe.PersonUnknown, oe.PersonMayDoMore)
"""What every line by which operators change something of a person can refuse with."""
QUERY = (oe.CursorInvalid, oe.FilterInvalid, oe.PersonUnknown)
"""What a query for events can be refused with."""
