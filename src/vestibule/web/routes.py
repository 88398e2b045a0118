"""The URL map, a line for each route: method, path, handler, guards, rate limit, whether it hashes a password. Then,
for the API, the status and body of a success and the refusals (`no.TOKEN`: the access token is not accepted); for a
page, what shows its form again, and the path of its form if that is another page. `map_lines` explains each;
`application` makes FastAPI routes of them.
"""

from vestibule.model import errors as e
from vestibule.model import factor_errors as fe
from vestibule.model.email_code_errors import EMAIL_CODE_REFUSALS
from vestibule.model.limits import RateClass
from vestibule.web import shared_refusals as no
from vestibule.web.api import (
    answers,
    auth,
    email_code,
    enrolment,
    factor_answers,
    factors,
    health,
    me,
    my_account,
    passkeys,
    permissions,
    service_answers,
    services,
    step_up,
)
from vestibule.web.asking_service import service
from vestibule.web.caller import anyone, session_holder, signed_in
from vestibule.web.csrf import own_pages, own_site, own_site_refresh
from vestibule.web.forward_auth import forward_auth
from vestibule.web.map_lines import Page, Route
from vestibule.web.pages import (
    account,
    email_change,
    enrol,
    invitation,
    keep_factors,
    language,
    letter_preview,
    lost_factors,
    mailed,
    my_data,
    my_factors,
    my_passkeys,
    reauthenticate,
    remove_new_factor,
    second_step,
    sign_in,
    sign_up,
    static,
)
from vestibule.web.pages import email_code as email_code_pages
from vestibule.web.pages.browser_session import browser_session, find_session, page_holder, session_form
from vestibule.web.prefetch import on_purpose
from vestibule.web.request_errors import (
    CrossSite,
    FetchedAhead,
    NonceInvalid,
    ReservedHeader,
)
from vestibule.web.signing_out import signing_out, signing_out_form

SIGN_IN, REGISTER, MAIL, REFRESH, ACCOUNT = RateClass  # in the order of the class
UNLIMITED = None
HASHES, NO_HASH = True, False

# What a request must satisfy before the handler runs: the guards of a line. HOLDER, and SECRET for a page, need the
# refresh token of the session too. PUBLIC refuses nobody: it only looks for a session.
ANYONE = (anyone,)
OWN_SITE = (own_site,)
OWN_SITE_REFRESH = (own_site_refresh,)
ON_PURPOSE = (on_purpose,)
ON_PURPOSE_REFRESH = (on_purpose, own_site_refresh)
SIGNED_IN = (signed_in,)
SERVICE = (service,)
FORWARD_AUTH = (forward_auth, signed_in)
SIGNED_IN_OWN_SITE = (own_site, signed_in)
SIGN_OUT = (own_site, signing_out)
HOLDER = (signed_in, session_holder)
HOLDER_OWN_SITE = (own_site, signed_in, session_holder)
ON_PURPOSE_SIGN_OUT = (on_purpose, own_site, signing_out)
PUBLIC = (find_session,)
PUBLIC_FORM = (own_site, find_session)
BROWSER = (browser_session,)
SECRET = (browser_session, page_holder)
BROWSER_FORM = (own_site, session_form, page_holder)
SIGN_OUT_FORM = (own_site, signing_out_form)
OWN_PAGES = (own_pages,)

# fmt: off
ROUTES = (
    Route("GET",   "/api/healthchecker",                   health.healthchecker,          ANYONE,               UNLIMITED, NO_HASH, 200, answers.Told),
    Route("POST",  "/api/auth/register",                   auth.register,                 OWN_SITE,             REGISTER,  HASHES,  201, answers.Registered, (e.EmailTaken, e.PasswordTooEasy, CrossSite)),
    Route("POST",  "/api/auth/login",                      auth.login,                    OWN_SITE,             SIGN_IN,   HASHES,  200, answers.SignedIn, (*no.SIGN_IN, fe.SecondFactorRequired, fe.SecondFactorEnrolmentRequired)),
    Route("POST",  "/api/auth/login/second-factor/options", auth.second_factor_options,   OWN_SITE,             SIGN_IN,   NO_HASH, 200, factor_answers.PasskeyOptions, (fe.NoPendingSignIn, fe.PasskeysUnavailable, CrossSite)),
    Route("POST",  "/api/auth/login/second-factor",        auth.second_factor,            OWN_SITE,             SIGN_IN,   HASHES,  200, answers.SignedIn, (*no.SECOND_STEP, *no.PASSKEY_STEP)),
    Route("POST",  "/api/auth/login/enrol/totp",           enrolment.enrol_totp,          OWN_SITE,             SIGN_IN,   NO_HASH, 200, factor_answers.NewTotp, (*no.ENROLMENT, fe.TotpUnavailable)),
    Route("POST",  "/api/auth/login/enrol/totp/confirm",   enrolment.confirm_enrolment,   OWN_SITE,             SIGN_IN,   HASHES,  200, factor_answers.Enrolled, (*no.ENROLMENT, *no.NEW_APP)),
    Route("POST",  "/api/auth/login/enrol/passkey/options", enrolment.enrol_passkey_options, OWN_SITE,          SIGN_IN,   NO_HASH, 200, factor_answers.PasskeyOptions, (*no.ENROLMENT, fe.PasskeysUnavailable)),
    Route("POST",  "/api/auth/login/enrol/passkey",        enrolment.enrol_passkey,       OWN_SITE,             SIGN_IN,   HASHES,  200, factor_answers.Enrolled, (*no.ENROLMENT, *no.NEW_PASSKEY)),
    Route("POST",  "/api/auth/login/second-factor/lost",   auth.report_lost_factors,      OWN_SITE,             MAIL,      NO_HASH, 200, answers.Told, no.LOST_FACTORS),
    Route("POST",  "/api/auth/passkeys/options",           passkeys.sign_in_options,      OWN_SITE,             REFRESH,   NO_HASH, 200, factor_answers.PasskeyOptions, (fe.PasskeysUnavailable, CrossSite)),
    Route("POST",  "/api/auth/passkeys/verify",            passkeys.sign_in,              OWN_SITE,             SIGN_IN,   NO_HASH, 200, answers.SignedIn, no.PASSKEY),
    Route("POST",  "/api/auth/email-code",                 email_code.ask,                OWN_SITE,             MAIL,      NO_HASH, 200, answers.Told, (CrossSite,)),
    Route("POST",  "/api/auth/email-code/verify",          email_code.verify,             OWN_SITE,             SIGN_IN,   NO_HASH, 200, answers.SignedIn, (*EMAIL_CODE_REFUSALS, fe.SecondFactorRequired, fe.SecondFactorEnrolmentRequired, CrossSite)),
    Route("GET",   "/api/auth/refresh",                    auth.refresh,                  ON_PURPOSE_REFRESH,   REFRESH,   NO_HASH, 200, answers.SignedIn, (*no.REFRESH, FetchedAhead)),
    Route("POST",  "/api/auth/refresh",                    auth.refresh,                  OWN_SITE_REFRESH,     REFRESH,   NO_HASH, 200, answers.SignedIn, no.REFRESH),
    Route("HEAD",  "/api/auth/refresh",                    auth.answer_head,              ANYONE,               UNLIMITED, NO_HASH, 200, None),
    Route("GET",   "/api/auth/logout",                     auth.logout,                   ON_PURPOSE_SIGN_OUT, ACCOUNT,   NO_HASH, 200, answers.Success, (*no.SIGN_OUT, FetchedAhead), while_acting=True),
    Route("POST",  "/api/auth/logout",                     auth.logout,                   SIGN_OUT,             ACCOUNT,   NO_HASH, 200, answers.Success, no.SIGN_OUT, while_acting=True),
    Route("HEAD",  "/api/auth/logout",                     auth.answer_head,              SIGNED_IN,            UNLIMITED, NO_HASH, 200, None, no.TOKEN, while_acting=True),
    Route("GET",   "/api/auth/verifyemail/{code}",         auth.verify_email,             ON_PURPOSE,           MAIL,      NO_HASH, 200, answers.Told, (e.VerificationCodeInvalid, FetchedAhead)),
    Route("HEAD",  "/api/auth/verifyemail/{code}",         auth.answer_head,              ANYONE,               UNLIMITED, NO_HASH, 200, None),
    Route("POST",  "/api/auth/verifyemail",                auth.resend,                   OWN_SITE,             MAIL,      NO_HASH, 200, answers.Told, (CrossSite,)),
    Route("POST",  "/api/auth/forgotpassword",             auth.forgot_password,          OWN_SITE,             MAIL,      NO_HASH, 200, answers.Told, (CrossSite,)),
    Route("PATCH", "/api/auth/resetpassword/{token}",      auth.reset,                    OWN_SITE,             MAIL,      HASHES,  200, answers.Told, no.RESET),
    Route("GET",   "/api/users/me",                        me.me,                         SIGNED_IN,            UNLIMITED, NO_HASH, 200, answers.Me, no.TOKEN, while_acting=True),
    Route("PATCH", "/api/users/me",                        my_account.change_my_name,     SIGNED_IN_OWN_SITE,   ACCOUNT,   NO_HASH, 200, answers.Me, (*no.OWNER, CrossSite)),
    Route("PATCH", "/api/users/me/password",               my_account.change_my_password, HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  200, answers.SignedIn, (*no.NEW_TOKENS, e.PasswordTooEasy)),
    Route("PATCH", "/api/users/me/email",                  my_account.change_my_email,    HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  200, answers.Told, (*no.CHANGE, e.EmailUnchanged)),
    Route("POST",  "/api/users/me/step-up/options",        step_up.options,               HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, factor_answers.PasskeyOptions, (*no.HOLDER, fe.PasskeysUnavailable)),
    Route("POST",  "/api/users/me/step-up",                step_up.step_up,               HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  200, answers.SignedIn, no.STEP_UP),
    Route("GET",   "/api/users/me/factors",                factors.list_factors,          SIGNED_IN,            ACCOUNT,   NO_HASH, 200, factor_answers.Factors, no.TOKEN, while_acting=True),
    Route("POST",  "/api/users/me/factors/totp",           factors.begin_totp,            HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, factor_answers.NewTotp, (*no.FACTOR, fe.TotpUnavailable)),
    Route("POST",  "/api/users/me/factors/totp/confirm",   factors.confirm_totp,          HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  200, factor_answers.FactorAdded, (*no.FACTOR, *no.NEW_APP)),
    Route("DELETE", "/api/users/me/factors/totp",          factors.remove_totp,           HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, answers.Success, (*no.FACTOR, fe.FactorUnknown, fe.LastFactor)),
    Route("POST",  "/api/users/me/factors/recovery-codes", factors.make_recovery_codes,   HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  200, factor_answers.RecoveryCodes, (*no.FACTOR, fe.FactorUnknown)),
    Route("DELETE", "/api/users/me/factors/reset",         factors.cancel_reset,          HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, answers.Success, (*no.HOLDER, fe.FactorResetUnknown)),
    Route("GET",   "/api/users/me/factors/passkeys",       passkeys.list_my_passkeys,     SIGNED_IN,            ACCOUNT,   NO_HASH, 200, factor_answers.Passkeys, no.TOKEN, while_acting=True),
    Route("POST",  "/api/users/me/factors/passkeys/options", passkeys.creation_options,     HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, factor_answers.PasskeyOptions, (*no.FACTOR, fe.PasskeysUnavailable, fe.TooManyPasskeys)),
    Route("POST",  "/api/users/me/factors/passkeys",       passkeys.add_my_passkey,       HOLDER_OWN_SITE,      SIGN_IN,   HASHES,  201, factor_answers.PasskeyAdded, (*no.FACTOR, *no.NEW_PASSKEY)),
    Route("PATCH", "/api/users/me/factors/passkeys/{passkey_id}", passkeys.rename_my_passkey,    HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, answers.Success, (*no.FACTOR, fe.PasskeyUnknown)),
    Route("DELETE", "/api/users/me/factors/passkeys/{passkey_id}", passkeys.remove_my_passkey,    HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, factor_answers.PasskeyRemoved, (*no.FACTOR, fe.PasskeyUnknown, fe.LastFactor)),
    Route("GET",   "/api/users/me/sessions",               my_account.list_mine,          SIGNED_IN,            ACCOUNT,   NO_HASH, 200, answers.Sessions, no.TOKEN, while_acting=True),
    Route("DELETE", "/api/users/me/sessions",              my_account.end_others,         HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, answers.Ended, (*no.HOLDER, e.ReauthenticationRequired)),
    Route("DELETE", "/api/users/me/sessions/{session_id}", my_account.end_one,            HOLDER_OWN_SITE,      ACCOUNT,   NO_HASH, 200, answers.Success, (*no.HOLDER, e.SessionUnknown, e.ReauthenticationRequired)),
    Route("GET",   "/api/auth/verify",                     me.verify,                     FORWARD_AUTH,         UNLIMITED, NO_HASH, 204, None, (*no.TOKEN, CrossSite, ReservedHeader), while_acting=True),
    Route("POST",  "/api/auth/introspect",                 services.introspect_token,     SERVICE,              UNLIMITED, NO_HASH, 200, service_answers.Introspection, no.INTROSPECTION, ("token",)),
    Route("GET",   "/api/revocations",                     services.stream_revocations,   SERVICE,              UNLIMITED, NO_HASH, 200, None, (e.ServiceKeyInvalid, NonceInvalid, e.TooManyRequests, e.TooManyPolls, e.TooManyFollowers)),
    Route("GET",   "/healthz/live",                        health.live,                   ANYONE,               UNLIMITED, NO_HASH, 200, answers.Told),
    Route("GET",   "/healthz/ready",                       health.ready,                  ANYONE,               UNLIMITED, NO_HASH, 200, answers.Told, (e.NotReady,)),
    Route("GET",   "/.well-known/vestibule-permissions",   permissions.permissions,       ANYONE,               UNLIMITED, NO_HASH, 200, None, media_type="application/jwt"),
    Route("GET",   "/.well-known/jwks.json",               me.jwks,                       ANYONE,               UNLIMITED, NO_HASH, 200, service_answers.JwkSet),
)

PAGES = (
    Page("GET",  "/",                                       sign_in.go_to_profile,       ANYONE,       UNLIMITED, NO_HASH),
    Page("GET",  "/login",                                  sign_in.ask_sign_in,         ANYONE,       REFRESH,   NO_HASH),
    Page("POST", "/login",                                  sign_in.sign_in,             OWN_SITE,     SIGN_IN,   HASHES,  sign_in.sign_in_form),
    Page("POST", "/logout",                                 sign_in.sign_out,            SIGN_OUT_FORM, ACCOUNT,   NO_HASH, None, "/profile", while_acting=True),
    Page("POST", "/login/passkey",                          sign_in.use_passkey,         OWN_SITE,     SIGN_IN,   NO_HASH, None, "/login"),
    Page("GET",  "/login/second-step",                      second_step.ask_second_step, PUBLIC,       REFRESH,   NO_HASH),
    Page("POST", "/login/second-step",                      second_step.take_second_step, PUBLIC_FORM, SIGN_IN,   HASHES, second_step.second_step_form),
    Page("POST", "/login/second-step/passkey",              second_step.use_passkey,     PUBLIC_FORM,  SIGN_IN,   NO_HASH, None, second_step.PATH),
    Page("GET",  "/reauthenticate",                         reauthenticate.ask,          SECRET,       ACCOUNT,   NO_HASH),
    Page("POST", "/reauthenticate",                         reauthenticate.reauthenticate, BROWSER_FORM, SIGN_IN, HASHES,  reauthenticate.reauthentication_form),
    Page("POST", "/reauthenticate/passkey",                 reauthenticate.use_passkey,  BROWSER_FORM, SIGN_IN,   NO_HASH, None, "/reauthenticate"),
    Page("GET",  "/login/enrol",                            enrol.ask,                   PUBLIC,       REFRESH,   NO_HASH),
    Page("POST", "/login/enrol",                            enrol.confirm_app,           PUBLIC_FORM,  SIGN_IN,   HASHES,  enrol.form),
    Page("POST", "/login/enrol/passkey",                    enrol.add_passkey,           PUBLIC_FORM,  SIGN_IN,   HASHES,  None, "/login/enrol"),
    Page("POST", "/login/enrol/new",                        enrol.begin_app,             PUBLIC_FORM,  SIGN_IN,   NO_HASH, None, "/login/enrol"),
    Page("GET",  "/login/second-step/lost",                 lost_factors.ask_report,     PUBLIC,       REFRESH,   NO_HASH),
    Page("POST", "/login/second-step/lost",                 lost_factors.report,         PUBLIC_FORM,  MAIL,      NO_HASH),
    Page("GET",  "/login/email-code",                       email_code_pages.ask_email,  ANYONE,       REFRESH,   NO_HASH),
    Page("POST", "/login/email-code",                       email_code_pages.send_code,  OWN_SITE,     MAIL,      NO_HASH, email_code_pages.email_form),
    Page("GET",  "/login/email-code/enter",                 email_code_pages.ask_code,   ANYONE,       REFRESH,   NO_HASH),
    Page("POST", "/login/email-code/enter",                 email_code_pages.take_code,  OWN_SITE,     SIGN_IN,   NO_HASH, email_code_pages.code_form),
    Page("GET",  "/signedout",                              sign_in.signed_out,          ANYONE,       REFRESH,   NO_HASH),
    Page("GET",  "/register",                               sign_up.ask_register,        ANYONE,       REFRESH,   NO_HASH),
    Page("POST", "/register",                               sign_up.register,            OWN_SITE,     REGISTER,  HASHES,  sign_up.register_form),
    Page("GET",  "/checkemail",                             sign_up.check_email,         PUBLIC,       UNLIMITED, NO_HASH),
    Page("GET",  "/verifyemail",                            sign_up.ask_resend,          PUBLIC,       UNLIMITED, NO_HASH),
    Page("POST", "/verifyemail",                            sign_up.resend,              PUBLIC_FORM,  MAIL,      NO_HASH, sign_up.verification_form),
    Page("GET",  "/forgotpassword",                         sign_up.ask_forgot_password, PUBLIC,       UNLIMITED, NO_HASH),
    Page("POST", "/forgotpassword",                         sign_up.forgot_password,     PUBLIC_FORM,  MAIL,      NO_HASH, sign_up.reset_form),
    Page("GET",  "/verifyemail/{code}",                     mailed.ask_verify,           PUBLIC,       UNLIMITED, NO_HASH),
    Page("POST", "/verifyemail/{code}",                     mailed.verify,               PUBLIC_FORM,  MAIL,      NO_HASH),
    Page("POST", "/verifyemail/{code}/mine",                mailed.take_over,            PUBLIC_FORM,  MAIL,      NO_HASH, None, "/verifyemail/{code}"),
    Page("GET",  "/resetpassword/{token}",                  mailed.ask_reset,            PUBLIC,       UNLIMITED, NO_HASH),
    Page("GET",  "/invitation/{token}",                     invitation.ask,              PUBLIC,       UNLIMITED, NO_HASH),
    Page("POST", "/invitation/{token}",                     invitation.accept,           PUBLIC_FORM,  MAIL,      HASHES,  invitation.INVITATION.form),
    Page("POST", "/resetpassword/{token}",                  mailed.reset,                PUBLIC_FORM,  MAIL,      HASHES,  mailed.NEW_PASSWORD.form),
    Page("GET",  "/confirmemail/{token}",                   email_change.ask_confirm,    ANYONE,       REFRESH,   NO_HASH),
    Page("POST", "/confirmemail/{token}",                   email_change.confirm,        BROWSER_FORM, MAIL,      NO_HASH),
    Page("GET",  "/undoemail/{token}",                      email_change.ask_undo,       PUBLIC,       UNLIMITED, NO_HASH),
    Page("POST", "/undoemail/{token}",                      email_change.undo,           PUBLIC_FORM,  MAIL,      NO_HASH),
    Page("GET",  "/resetfactors/{token}",                   lost_factors.ask_begin,      PUBLIC,       UNLIMITED, NO_HASH),
    Page("POST", "/resetfactors/{token}",                   lost_factors.begin,          PUBLIC_FORM,  MAIL,      NO_HASH),
    Page("GET",  "/keepfactors/{token}",                    keep_factors.ask_keep,       PUBLIC,       UNLIMITED, NO_HASH),
    Page("POST", "/keepfactors/{token}",                    keep_factors.keep,           PUBLIC_FORM,  MAIL,      NO_HASH),
    Page("GET",  "/removefactor/{token}",                   remove_new_factor.ask_remove, PUBLIC,      UNLIMITED, NO_HASH),
    Page("POST", "/removefactor/{token}",                   remove_new_factor.remove,    PUBLIC_FORM,  MAIL,      NO_HASH),
    Page("GET",  "/profile",                                account.profile,             BROWSER,      ACCOUNT,   NO_HASH, while_acting=True),
    Page("GET",  "/profile/name",                           account.ask_name,            BROWSER,      ACCOUNT,   NO_HASH),
    Page("POST", "/profile/name",                           account.change_name,         BROWSER_FORM, ACCOUNT,   NO_HASH, account.name_form),
    Page("POST", "/profile/verification",                   account.send_verification,   BROWSER_FORM, MAIL,      NO_HASH, None, "/profile"),
    Page("GET",  "/profile/security",                       account.security,            BROWSER,      ACCOUNT,   NO_HASH, while_acting=True),
    Page("GET",  "/profile/security/password",              account.ask_password,        BROWSER,      ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/password",              account.change_password,     BROWSER_FORM, SIGN_IN,   HASHES,  account.password_form),
    Page("GET",  "/profile/security/email",                 account.ask_new_email,       BROWSER,      ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/email",                 account.change_email,        BROWSER_FORM, SIGN_IN,   HASHES,  account.email_form),
    Page("GET",  "/profile/security/authenticator",         my_factors.show_app,         SECRET,       ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/authenticator",         my_factors.confirm_app,      BROWSER_FORM, SIGN_IN,   HASHES,  my_factors.app_form),
    Page("POST", "/profile/security/authenticator/new",     my_factors.begin_app,        BROWSER_FORM, ACCOUNT,   NO_HASH, None, "/profile/security/authenticator"),
    Page("GET",  "/profile/security/authenticator/remove",  my_factors.ask_remove_app,   BROWSER,      ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/authenticator/remove",  my_factors.remove_app,       BROWSER_FORM, ACCOUNT,   NO_HASH),
    Page("GET",  "/profile/security/recovery-codes",        my_factors.show_codes,       SECRET,       ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/recovery-codes",        my_factors.put_codes_away,   BROWSER_FORM, ACCOUNT,   NO_HASH, None, "/profile/security"),
    Page("GET",  "/profile/security/recovery-codes/file",   my_factors.download_codes,   SECRET,       ACCOUNT,   NO_HASH),
    Page("GET",  "/profile/security/recovery-codes/new",    my_factors.ask_new_codes,    BROWSER,      ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/recovery-codes/new",    my_factors.make_codes,       BROWSER_FORM, SIGN_IN,   HASHES),
    Page("POST", "/profile/security/factor-reset",          keep_factors.keep_mine,      BROWSER_FORM, ACCOUNT,   NO_HASH, None, "/profile/security"),
    Page("POST", "/profile/security/passkeys",              my_passkeys.add_my_passkey,  BROWSER_FORM, SIGN_IN,   HASHES,  None, "/profile/security/passkeys/new"),
    Page("GET",  "/profile/security/passkeys/new",          my_passkeys.ask_new,         SECRET,       ACCOUNT,   NO_HASH),
    Page("GET",  "/profile/security/passkeys/{passkey_id}", my_passkeys.ask_name,        BROWSER,      ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/passkeys/{passkey_id}", my_passkeys.rename,          BROWSER_FORM, ACCOUNT,   NO_HASH, my_passkeys.name_form),
    Page("GET",  "/profile/security/passkeys/{passkey_id}/remove", my_passkeys.ask_remove, BROWSER,    ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/passkeys/{passkey_id}/remove", my_passkeys.remove,   BROWSER_FORM, ACCOUNT,   NO_HASH),
    Page("POST", "/profile/security/sessions",              account.end_others,          BROWSER_FORM, ACCOUNT,   NO_HASH, None, "/profile/security"),
    Page("POST", "/profile/security/sessions/{session_id}", account.end_one,             BROWSER_FORM, ACCOUNT,   NO_HASH, None, "/profile/security"),
    Page("GET",  "/profile/data",                           my_data.download,            SECRET,       ACCOUNT,   NO_HASH),
    Page("GET",  "/profile/delete",                         my_data.ask_delete,          BROWSER,      ACCOUNT,   NO_HASH),
    Page("POST", "/profile/delete",                         my_data.delete,              BROWSER_FORM, SIGN_IN,   HASHES,  my_data.delete_form),
    Page("POST", "/language",                               language.choose_language,    OWN_SITE,     REFRESH,   NO_HASH, None, "/login"),
    Page("GET",  "/static/pages.css",                       static.stylesheet,           ANYONE,       UNLIMITED, NO_HASH),
    Page("GET",  "/static/pages.js",                        static.script,               ANYONE,       UNLIMITED, NO_HASH),
    Page("GET",  "/static/logo",                            static.logo,                 ANYONE,       UNLIMITED, NO_HASH),
)

# The preview of emails. These pages do not exist in production.
DEVELOPMENT_PAGES = (
    Page("GET",  "/letters",                   letter_preview.letters, ANYONE, UNLIMITED, NO_HASH),
    Page("GET",  "/letters/{kind}/{language}", letter_preview.letter,  ANYONE, UNLIMITED, NO_HASH),
)
# fmt: on
