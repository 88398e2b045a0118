"""Every form of the pages with something wrong in it."""

from dataclasses import dataclass, field

WRONG, EASY, GOOD = "wrong horse", "password123", "battery staple"
NOT_AN_EMAIL = "Enter a valid email address."
TOO_SHORT = "Use at least 8 characters."


@dataclass(frozen=True)
class Row:
    """A form with something wrong in it: what is typed, which fields are at fault, and what the page says."""

    path: str
    typed: dict[str, str]
    at_fault: tuple[str, ...]
    said: str
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.path.strip('/')}: {self.said[:30]}"


ASK_CODE, TYPE_CODE = "/login/email-code", "/login/email-code/enter"
ADA = {"email": "ada@example.com"}
EVE = {"email": "eve@example.com"}
ROWS = [
    Row("/login", {**ADA, "password": WRONG}, ("password",), "The email address or the password is wrong.", ADA),
    Row("/login", {"email": "Nobody", "password": ""}, ("email", "password"), NOT_AN_EMAIL, {"email": "Nobody"}),
    Row("/login/second-step", {"code": ""}, ("code",), "Enter the code."),
    Row("/reauthenticate", {"by": "password", "password": WRONG}, ("password",), "This is not your current password."),
    Row("/login/enrol", {"code": ""}, ("code",), "Enter the code."),
    Row(ASK_CODE, {"email": "<b>"}, ("email",), NOT_AN_EMAIL, {"email": "&lt;b&gt;"}),
    Row(TYPE_CODE, {"code": ""}, ("code",), "Enter the code."),
    Row(TYPE_CODE, {"code": "zzzz-zzzz"}, ("code",), "This code is wrong."),
    Row("/register", {"name": "Eve", **ADA, "password": GOOD}, ("email",), "already exists", {"name": "Eve", **ADA}),
    Row("/register", {"name": "Eve", **EVE, "password": EASY}, ("password",), "too common", {"name": "Eve", **EVE}),
    Row("/register", {"name": "", **EVE, "password": "short"}, ("name", "password"), TOO_SHORT, EVE),
    Row("/forgotpassword", {"email": "<b>"}, ("email",), NOT_AN_EMAIL, {"email": "&lt;b&gt;"}),
    Row("/verifyemail", {"email": ""}, ("email",), "Enter your email address."),
    Row("/resetpassword/{token}", {"password": "short"}, ("password",), TOO_SHORT),
    Row("/resetpassword/{token}", {"password": EASY}, ("password",), "too common"),
    Row("/invitation/{token}", {"password": "short"}, ("password",), TOO_SHORT),
    Row("/invitation/{token}", {"password": EASY}, ("password",), "too common"),
    Row("/profile/name", {"name": "x" * 256}, ("name",), "Use at most 255 characters.", {"name": "x" * 256}),
    Row(
        "/profile/security/password",
        {"currentPassword": WRONG, "password": GOOD},
        ("currentPassword",),
        "This is not your current password.",
    ),
    Row("/profile/security/password", {"currentPassword": WRONG, "password": EASY}, ("password",), "too common"),
    Row(
        "/profile/security/password",
        {"currentPassword": "", "password": "short"},
        ("currentPassword", "password"),
        TOO_SHORT,
    ),
    Row(
        "/profile/security/email",
        {**EVE, "currentPassword": WRONG},
        ("currentPassword",),
        "This is not your current password.",
        EVE,
    ),
    Row("/profile/security/email", {"email": "Eve", "currentPassword": WRONG}, ("email",), NOT_AN_EMAIL),
    Row("/profile/security/authenticator", {"code": ""}, ("code",), "Enter the code."),
    Row("/profile/security/passkeys/{passkey_id}", {"name": ""}, ("name",), "Enter a name for the passkey."),
    Row(
        "/profile/security/passkeys/{passkey_id}",
        {"name": "x" * 65},
        ("name",),
        "Use at most 64 characters.",
        {"name": "x" * 65},
    ),
    Row("/profile/delete", {"currentPassword": WRONG}, ("currentPassword",), "This is not your current password."),
    Row("/profile/delete", {"currentPassword": ""}, ("currentPassword",), "Enter your current password."),
]
