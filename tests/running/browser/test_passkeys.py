"""Passkeys in Chromium, on the authenticator that its developer tools have: added and used as a front-end would."""

from typing import Any

from playwright.sync_api import CDPSession, Page

from tests.harness.servers import wait_until
from tests.running.browser.people import PASSWORD, Browsing, somebody

# What a front-end does, with nothing of our own in it. The documentation's page lets scripts call the API.
CALL = """
async ({method, path, body}) => {
    const headers = {"Content-Type": "application/json"};
    const answer = await fetch(path, {method, headers, body: JSON.stringify(body)});
    return {status: answer.status, body: await answer.json()};
}
"""
CREATE = """
async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options);
    return (await navigator.credentials.create({publicKey})).toJSON();
}
"""
GET = """
async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options);
    return (await navigator.credentials.get({publicKey})).toJSON();
}
"""
MINE, ALONE = "/api/users/me/factors/passkeys", "/api/auth/passkeys"
SYNCED = {"defaultBackupEligibility": True, "defaultBackupState": True}


def call(page: Page, method: str, path: str, status: int, **body: Any) -> dict[str, Any]:
    answer = page.evaluate(CALL, {"method": method, "path": path, "body": body})
    assert answer["status"] == status, answer
    return dict(answer["body"])


def with_authenticator(page: Page, **options: Any) -> tuple[CDPSession, str]:
    """A virtual authenticator that verifies its user."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    held = {"protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": True}
    able = {"hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}
    made = tools.send("WebAuthn.addVirtualAuthenticator", {"options": {**held, **able, **options}})
    return tools, made["authenticatorId"]


def signed_in(browsing: Browsing) -> Page:
    """A front-end's page, of somebody who signed in by password."""
    email = somebody(browsing)
    page = browsing.page()
    page.goto("/docs")
    call(page, "POST", "/api/auth/login", 200, email=email, password=PASSWORD)
    return page


def add(page: Page) -> dict[str, Any]:
    options = call(page, "POST", f"{MINE}/options", 200)["data"]["publicKey"]
    return dict(call(page, "POST", MINE, 201, credential=page.evaluate(CREATE, options))["data"])


def sign_in(page: Page) -> None:
    options = call(page, "POST", f"{ALONE}/options", 200)["data"]["publicKey"]
    call(page, "POST", f"{ALONE}/verify", 200, credential=page.evaluate(GET, options))


def test_a_passkey_is_added_and_signs_in_alone(browsing: Browsing) -> None:
    page = signed_in(browsing)
    with_authenticator(page, **SYNCED)
    added = add(page)
    assert (added["passkey"]["synced"], len(added["recovery_codes"])) == (True, 10)
    call(page, "POST", "/api/auth/logout", 200)
    call(page, "PATCH", "/api/users/me", 401, name="Nobody")
    sign_in(page)
    call(page, "PATCH", "/api/users/me", 200, name="Countess")
    again = call(page, "POST", f"{MINE}/options", 200)["data"]["publicKey"]
    assert len(again["excludeCredentials"]) == 1


def test_f16_a_copy_of_a_passkey_signs_in_and_is_told_of(browsing: Browsing) -> None:
    page = signed_in(browsing)
    tools, authenticator = with_authenticator(page)
    add(page)
    sign_in(page)
    (held,) = tools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    sign_in(page)
    tools.send("WebAuthn.clearCredentials", {"authenticatorId": authenticator})
    tools.send("WebAuthn.addCredential", {"authenticatorId": authenticator, "credential": held})
    sign_in(page)
    wait_until(lambda: "passkey_may_be_copied" in browsing.server.output, "the event of the copy")


def test_f13_without_verification_no_passkey_signs_in_alone(browsing: Browsing) -> None:
    page = signed_in(browsing)
    tools, authenticator = with_authenticator(page)
    add(page)
    tools.send("WebAuthn.setUserVerified", {"authenticatorId": authenticator, "isUserVerified": False})
    options = call(page, "POST", f"{ALONE}/options", 200)["data"]["publicKey"]
    credential = page.evaluate(GET, {**options, "userVerification": "discouraged"})
    refused = call(page, "POST", f"{ALONE}/verify", 400, credential=credential)
    assert refused["code"] == "passkey_refused"


def test_a_removed_passkey_is_named_as_the_browser_names_it(browsing: Browsing) -> None:
    page = signed_in(browsing)
    tools, authenticator = with_authenticator(page)
    passkey_id = add(page)["passkey"]["id"]
    (held,) = tools.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    sign_in(page)  # beside a passkey, the password alone removes nothing
    removed = call(page, "DELETE", f"{MINE}/{passkey_id}", 200)["data"]
    assert removed["rpId"] == held["rpId"] == "localhost"
    plain = str(held["credentialId"]).rstrip("=").translate(str.maketrans("+/", "-_"))
    assert removed["credentialId"] == plain
