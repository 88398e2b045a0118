"""A project's tests."""

import httpx

from vestibule.client.testing import SignedIn

pytest_plugins = ["vestibule.client.testing"]


def test_orders(client: httpx.Client, vestibule: SignedIn) -> None:
    token = vestibule.token_for("ada", role="admin")
    assert client.get("/orders", headers=vestibule.headers(token)).status_code == 200
    recent = vestibule.token_for("ada", level=2, authenticated_at=1795476287)
    assert client.post("/transfers", headers=vestibule.headers(recent)).status_code == 401
    vestibule.revoke(token)
    assert client.get("/orders", headers=vestibule.headers(token)).status_code == 401
