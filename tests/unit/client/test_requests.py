"""A caller belongs to one request: whatever frameworks leave open in a thread, the next one is somebody else."""

import flask
import pytest

from tests.unit.client.asking import AUTH
from vestibule.client import Verifier
from vestibule.client.flask import Vestibule, current_caller
from vestibule.client.testing import SignedIn


@pytest.fixture
def app() -> flask.Flask:
    app = flask.Flask("service")
    vestibule = Vestibule(app, Verifier(**AUTH))

    @app.get("/me")
    @vestibule.signed_in
    def me() -> dict[str, str]:
        return {"id": current_caller.id}

    return app


def test_k3_an_application_context_that_stays_open_serves_each_request_its_own_caller(
    app: flask.Flask, vestibule: SignedIn
) -> None:
    """As where `app.app_context().push()` stands in a gunicorn configuration."""
    client = app.test_client()
    with app.app_context():
        for user in ("ada", "bob"):
            answer = client.get("/me", headers=vestibule.headers(vestibule.token_for(user)))
            assert answer.get_json() == {"id": user}
        assert client.get("/me").status_code == 401


def test_k3_a_request_inside_another_has_its_own_caller(app: flask.Flask, vestibule: SignedIn) -> None:
    headers = {user: vestibule.headers(vestibule.token_for(user)) for user in ("ada", "bob")}
    with app.test_request_context("/me", headers=headers["ada"]):
        assert current_caller.id == "ada"
        with app.test_request_context("/me", headers=headers["bob"]):
            assert current_caller.id == "bob"
        assert current_caller.id == "ada"
