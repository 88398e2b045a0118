"""A project's tests."""

import httpx

from vestibule.client.testing import SignedIn

pytest_plugins = ["vestibule.client.testing"]


def test_orders(client: httpx.Client, vestibule: SignedIn) -> None:
    token = vestibule.token_for("ada", role="admin")
    assert client.get("/orders", headers=vestibule.headers(token)).status_code == 200
    vestibule.revoke(token)
    assert client.get("/orders", headers=vestibule.headers(token)).status_code == 401
