"""Flask's application factories: `init_app`, several applications, and what is said of a missing setting."""

import flask
import pytest

from tests.unit.client.asking import AUTH, on_wsgi
from vestibule.client import Verifier
from vestibule.client.flask import Vestibule, current_caller
from vestibule.client.testing import SignedIn


def blueprint(vestibule: Vestibule) -> flask.Blueprint:
    """As in a module that is imported before there is an application."""
    orders = flask.Blueprint("orders", __name__)

    @orders.get("/me")
    @vestibule.signed_in
    def me() -> dict[str, str]:
        return {"id": current_caller.id}

    @orders.get("/admin")
    @vestibule.with_role("admin")
    async def admin() -> dict[str, str]:
        return {"id": current_caller.id}

    return orders


def made(vestibule: Vestibule, **config: object) -> flask.Flask:
    app = flask.Flask("service")
    app.config.update(config)
    vestibule.init_app(app)
    app.register_blueprint(blueprint(vestibule))
    return app


def test_a_factory_sets_an_application_up_by_its_configuration(vestibule: SignedIn) -> None:
    ask = on_wsgi(made(Vestibule(), VESTIBULE=AUTH))
    headers = vestibule.headers(vestibule.token_for("ada"))
    assert ask("/me", headers=headers).json() == {"id": "ada"}
    assert (ask("/me").status_code, ask("/me").json()["code"]) == (401, "not_signed_in")
    assert ask("/admin", headers=headers).status_code == 403


def test_two_applications_of_one_factory_share_nothing() -> None:
    vestibule = Vestibule()
    apps = [made(vestibule, VESTIBULE={**AUTH, "cookie": name}) for name in ("a", "b")]
    first, second = (app.extensions["vestibule"] for app in apps)
    assert (first.cookie, second.cookie) == ("a", "b")


@pytest.mark.parametrize("where", ["constructor", "init_app", "both"])
def test_a_verifier_that_is_given_goes_before_the_configuration(where: str) -> None:
    mine, other = Verifier(**AUTH), Verifier(**AUTH)
    app = flask.Flask("service")
    app.config["VESTIBULE"] = {**AUTH, "cookie": "not this"}
    if where == "constructor":
        Vestibule(app, mine)
    else:
        Vestibule(verifier=other if where == "both" else None).init_app(app, mine)
    assert app.extensions["vestibule"] is mine


@pytest.mark.parametrize("config", [None, "https://auth.example.com"])
def test_without_a_verifier_and_a_setting_it_says_what_to_set(config: object) -> None:
    app = flask.Flask("service")
    app.config["VESTIBULE"] = config
    with pytest.raises(RuntimeError, match=r'app\.config\["VESTIBULE"\] = \{"url": "https://…"'):
        Vestibule(app)


def test_a_guard_in_an_application_without_it_lets_nobody_in_and_says_what_to_call(vestibule: SignedIn) -> None:
    app = flask.Flask("service")
    app.register_blueprint(blueprint(Vestibule()))
    app.config["PROPAGATE_EXCEPTIONS"] = True
    headers = vestibule.headers(vestibule.token_for("ada"))
    with pytest.raises(RuntimeError, match=r"call vestibule\.init_app\(app\)"):
        app.test_client().get("/me", headers=headers)
