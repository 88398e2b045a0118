"""A passkey in somebody's browser: Chromium's virtual authenticator, over CDP, which verifies its user by itself."""

from playwright.sync_api import CDPSession, Page

_ADD = """async () => {
  const post = (path, body) => fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const asked = await (await post("/api/users/me/factors/passkeys/options", {})).json();
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(asked.data.publicKey);
  const credential = await navigator.credentials.create({ publicKey });
  return (await post("/api/users/me/factors/passkeys", { credential })).status;
}"""

# Beside a passkey the password alone removes nothing, so its owner steps up with the passkey first.
_REMOVE = """async () => {
  const mine = "/api/users/me/factors/passkeys";
  const post = (path, body) => fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
  });
  const asked = await (await post("/api/users/me/step-up/options", {})).json();
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.data.publicKey);
  await post("/api/users/me/step-up", { credential: await navigator.credentials.get({ publicKey }) });
  const listed = await (await fetch(mine)).json();
  const gone = listed.data.passkeys.map(({ id }) => fetch(`${mine}/${id}`, { method: "DELETE" }));
  return (await Promise.all(gone)).map(({ status }) => status);
}"""

SIGNALS = """
globalThis.signals = [];
for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials"])
  PublicKeyCredential[name] = async (told) => { signals.push([name, told]); };
"""
"""Chromium's virtual authenticator shows no signal: write down what the page tells the password manager."""


class Authenticator:
    """The virtual authenticator of one page."""

    def __init__(self, page: Page) -> None:
        self._cdp: CDPSession = page.context.new_cdp_session(page)
        self._cdp.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        self._id = self._cdp.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def refuse(self) -> None:
        """Let its user fail to be verified from now on, as one who takes the prompt away."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": False})

    def accept(self) -> None:
        """Let its user be verified again."""
        self._cdp.send("WebAuthn.setUserVerified", {"authenticatorId": self._id, "isUserVerified": True})

    @property
    def credentials(self) -> list[str]:
        """The ids of its passkeys, as browsers write them."""
        held = self._cdp.send("WebAuthn.getCredentials", {"authenticatorId": self._id})["credentials"]
        return [each["credentialId"].rstrip("=").translate(str.maketrans("+/", "-_")) for each in held]

    def answer(self, *, by_itself: bool) -> None:
        """Whether it answers without somebody's touch."""
        self._cdp.send("WebAuthn.setAutomaticPresenceSimulation", {"authenticatorId": self._id, "enabled": by_itself})


def add_passkey(page: Page) -> None:
    """Add a passkey to the account that is signed in."""
    assert page.evaluate(_ADD) == 201


def remove_passkeys(page: Page) -> None:
    """Remove every passkey of the account that is signed in; the authenticator keeps its own."""
    assert set(page.evaluate(_REMOVE)) == {200}
