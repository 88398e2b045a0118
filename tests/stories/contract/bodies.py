"""Bodies that break the rules: what is said of each fault, as zod 3 said it, all at once and in the order of fields."""

from typing import Any

from tests.stories.contract.answers import invalid, malformed, refused
from tests.stories.contract.steps import ADA, NEW_PASSWORD, PASSWORD, Row, Send, patch, post, twice

REGISTER, LOGIN = "/api/auth/register", "/api/auth/login"
FORGOT, RESET = "/api/auth/forgotpassword", "/api/auth/resetpassword/{token}"
MISMATCH = {"code": "custom", "path": ["body", "passwordConfirm"], "message": "Passwords do not match"}
SURROGATE = b'{"name": "Eve \\ud800", "email": "eve@example.com"}'
EVE = {"name": "Eve", "email": "eve@example.com", **twice("tr0ub4dor&3")}
BIG_NUMBER = b'{"email": 9007199254740992}'


def missing(field: str, message: str) -> dict[str, Any]:
    return wrong_type(field, "undefined", message=message)


def wrong_type(field: str, received: str, expected: str = "string", message: str = "") -> dict[str, Any]:
    said = message or f"Expected {expected}, received {received}"
    path = ["body", field] if field else ["body"]
    return {"code": "invalid_type", "expected": expected, "received": received, "path": path, "message": said}


def not_an_email(message: str = "Invalid email address") -> dict[str, Any]:
    return {"validation": "email", "code": "invalid_string", "message": message, "path": ["body", "email"]}


def too_short(message: str = "Password must be more than 8 characters") -> dict[str, Any]:
    return {**_size("password", message), "code": "too_small", "minimum": 8}


def too_long(field: str, maximum: int, message: str) -> dict[str, Any]:
    return {**_size(field, message), "code": "too_big", "maximum": maximum}


def _size(field: str, message: str) -> dict[str, Any]:
    return {"type": "string", "inclusive": True, "exact": False, "message": message, "path": ["body", field]}


def no_role(received: str | float) -> dict[str, Any]:
    message = f"Invalid enum value. Expected 'admin' | 'user', received '{received}'"
    path, options = ["body", "role"], ["admin", "user"]
    return {"received": received, "code": "invalid_enum_value", "options": options, "path": path, "message": message}


def no_nul(field: str) -> dict[str, Any]:
    return {"code": "custom", "path": ["body", field], "message": "A NUL character is not allowed"}


MISSING_NEW = (missing("password", "Password is required"), missing("passwordConfirm", "Please confirm your password"))
MISSING = {
    REGISTER: (missing("name", "Name is required"), missing("email", "Email address is required"), *MISSING_NEW),
    LOGIN: (missing("email", "Email address is required"), missing("password", "Password is required")),
    FORGOT: (missing("email", "Email is required"),),
    RESET: MISSING_NEW,
}
FIELDS = {path: [entry["path"][1] for entry in entries] for path, entries in MISSING.items()}
TYPES = {"null": None, "number": 42, "boolean": True, "array": ["x"], "object": {"x": "x"}}
UNREADABLE = {
    "cut off": (b'{"email":', "Expecting value at line 1, column 10"),
    "not JSON": (b"email=ada", "Expecting value at line 1, column 1"),
    "two values": (b"{} {}", "Extra data at line 1, column 4"),
    "a text": (b'"text"', "it is neither an object nor an array"),
    "a number": (b"42", "it is neither an object nor an array"),
    "null": (b"null", "it is neither an object nor an array"),
    "a member twice": (b'{"email": "a@b.example", "email": "c@d.example"}', "an object names the same member twice"),
    "a member twice, inside": (b'{"x": [{"a": 1, "a": 2}]}', "an object names the same member twice"),
    "NaN": (b'{"email": NaN}', "NaN is not a JSON number"),
    "-Infinity": (b'{"email": -Infinity}', "-Infinity is not a JSON number"),
    "half a surrogate pair": (SURROGATE, "a string holds half of a surrogate pair"),
    "17 levels": (b'{"x": ' + b"[" * 16 + b"]" * 16 + b"}", "it is nested too deeply"),
    "5,000 levels": (b"[" * 5000 + b"]" * 5000, "it is nested too deeply"),
    "5,000 levels, not closed": (b'{"x":' * 1900, "it is nested too deeply"),
    "a number beyond 2^53": (BIG_NUMBER, "a number is too large"),
    "a numeral of 5,000 digits": (b"[" + b"9" * 5000 + b"]", "a number is too large"),
    "not UTF-8": (b'{"name": "\xff"}', "it is not UTF-8"),
}


def sending(path: str, body: Any, **how: Any) -> Send:
    """Whatever the method there is."""
    return patch(path, body, **how) if path == RESET else post(path, body, **how)


def _without_members(path: str) -> list[Row]:
    nothing = invalid(*MISSING[path])
    other_kinds = ["", "text/plain", "application/x-www-form-urlencoded", "application/problem+json", "garbage"]
    full = dict.fromkeys(FIELDS[path], "whatever it is")
    return [
        Row(f"{path}: no body", sending(path, None), nothing),
        Row(f"{path}: empty body", sending(path, b""), nothing),
        Row(f"{path}: blank body", sending(path, b" \r\n"), nothing),
        Row(f"{path}: empty object", sending(path, {}), nothing),
        *(Row(f"{path}: sent as {kind or 'nothing'}", sending(path, full, kind=kind), nothing) for kind in other_kinds),
    ]


def _of_wrong_type(path: str) -> list[Row]:
    fields = FIELDS[path]
    array = invalid(wrong_type("", "array", "object"))
    every = [
        Row(f"{path}: every member {kind}", sending(path, dict.fromkeys(fields, value)), _all_wrong(fields, kind))
        for kind, value in TYPES.items()
    ]
    return [*every, Row(f"{path}: an array", sending(path, [1]), array)]


def _all_wrong(fields: list[str], kind: str) -> Any:
    return invalid(*(wrong_type(field, kind) for field in fields))


def _unreadable(path: str) -> list[Row]:
    return [Row(f"{path}: {name}", sending(path, text), malformed(why)) for name, (text, why) in UNREADABLE.items()]


def _of_register(name: str, /, *entries: dict[str, Any], **members: Any) -> Row:
    return Row(f"register: {name}", post(REGISTER, EVE | members), invalid(*entries))


ROLE_OPTIONS = "'admin' | 'user'"
LONG_NAME = too_long("name", 255, "String must contain at most 255 character(s)")
LONG_PASSWORD = too_long("password", 128, "Password must be less than 128 characters")
LONG_EMAIL = "a" * 3988 + "@example.com"
NO_ADDRESSES = ["", "eve", "eve@", "@example.com", "eve@localhost", "e ve@example.com", "eve@ex ample.com"]
TWO_ADDRESSES = ["a@example.com,b@example.com", "eve@example.com\nBcc: b@example.com", '"a@b"@example.com']
ALL_AT_ONCE = {"name": "E" * 256, "email": "eve", "password": "sh0rt", "passwordConfirm": "an0ther", "role": "user"}

ROWS = [
    *(row for path in MISSING for row in _without_members(path)),
    *(row for path in MISSING for row in _of_wrong_type(path)),
    *(row for path in MISSING for row in _unreadable(path)),
    _of_register("a name of 256 characters", LONG_NAME, name="N" * 256),
    *(_of_register(f"{text!r} is no address", not_an_email(), email=text) for text in NO_ADDRESSES + TWO_ADDRESSES),
    _of_register("an email of 4,000 characters", not_an_email(), email=LONG_EMAIL),
    _of_register("a password of 7", too_short(), **twice("sh0rter")),
    _of_register("a password of 129", LONG_PASSWORD, **twice("p" * 129)),
    _of_register("passwords that differ", MISMATCH, passwordConfirm=NEW_PASSWORD),
    _of_register("short, and differ", too_short(), MISMATCH, password="sh0rt"),
    _of_register("no email, and they differ", not_an_email(), MISMATCH, email="eve", passwordConfirm=NEW_PASSWORD),
    _of_register("everything at once", LONG_NAME, not_an_email(), too_short(), MISMATCH, **ALL_AT_ONCE),
    _of_register(
        "a wrong type hides that they differ", wrong_type("name", "null"), name=None, passwordConfirm=NEW_PASSWORD
    ),
    _of_register("an unknown role", no_role("root"), role="root"),
    _of_register("a role in capitals", no_role("Admin"), role="Admin"),
    *(_of_register(f"a role that is the number {number}", no_role(number), role=number) for number in (1, 42, 0, 1.5)),
    *(
        _of_register(f"a role that is {kind}", wrong_type("role", kind, ROLE_OPTIONS), role=value)
        for kind, value in TYPES.items()
        if kind != "number"
    ),
    _of_register("NUL in the name", no_nul("name"), name="E\0ve"),
    _of_register("NUL in the email", no_nul("email"), email="eve\0@example.com"),
    _of_register("NUL in the password", no_nul("password"), **twice("correct\0horse")),
    _of_register("NUL in the second password", MISMATCH, passwordConfirm="tr0ub4dor&3\0"),
    _of_register("NUL in the role", no_role("user\0"), role="user\0"),
    Row("login: no email", post(LOGIN, {"email": "ada", "password": PASSWORD}), invalid(not_an_email())),
    Row("login: an email of 4,000", post(LOGIN, {"email": LONG_EMAIL, "password": PASSWORD}), invalid(not_an_email())),
    Row(
        "login: a password of 7",
        post(LOGIN, {"email": ADA, "password": "sh0rter"}),
        invalid(too_short("Invalid email or password")),
    ),
    Row(
        "login: NUL in both",
        post(LOGIN, {"email": f"{ADA}\0", "password": "correct\0horse"}),
        invalid(no_nul("email"), no_nul("password")),
    ),
    Row(
        "login: both at once",
        post(LOGIN, {"email": "ada", "password": "sh0rt"}),
        invalid(not_an_email(), too_short("Invalid email or password")),
    ),
    Row(
        "login: an endless password",
        post(LOGIN, {"email": ADA, "password": "p" * 4000}),
        refused(400, "wrong_credentials", "Invalid email or password"),
    ),
    Row("forgot: no email", post(FORGOT, {"email": "ada"}), invalid(not_an_email("Email is invalid"))),
    Row("forgot: an email of 4,000", post(FORGOT, {"email": LONG_EMAIL}), invalid(not_an_email("Email is invalid"))),
    Row("forgot: NUL", post(FORGOT, {"email": f"{ADA}\0"}), invalid(no_nul("email"))),
    Row(
        "forgot: two addresses",
        post(FORGOT, {"email": [ADA, "eve@example.com"]}),
        invalid(wrong_type("email", "array")),
    ),
    Row("reset: a password of 7", patch(RESET, twice("sh0rter")), invalid(too_short())),
    Row("reset: a password of 129", patch(RESET, twice("p" * 129)), invalid(LONG_PASSWORD)),
    Row(
        "reset: passwords that differ",
        patch(RESET, {"password": NEW_PASSWORD, "passwordConfirm": "an0ther one"}),
        invalid(MISMATCH),
    ),
    Row(
        "reset: short, and differ",
        patch(RESET, {"password": "sh0rt", "passwordConfirm": "an0ther"}),
        invalid(too_short(), MISMATCH),
    ),
    Row("reset: NUL", patch(RESET, twice("correct\0horse")), invalid(no_nul("password"))),
]
