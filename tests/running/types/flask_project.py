"""Orders, in Flask."""

import os

from flask import Flask

from vestibule.client.flask import Vestibule, current_caller

vestibule = Vestibule()


@vestibule.signed_in
def orders() -> dict[str, str]:
    return {"orders of": current_caller.id}


@vestibule.with_role("admin")
def every_order() -> dict[str, str]:
    return {"shown to": current_caller.id}


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["VESTIBULE"] = {"url": "https://auth.example.com", "service_key": os.environ["SERVICE_KEY"]}
    vestibule.init_app(app)
    app.add_url_rule("/orders", view_func=orders)
    app.add_url_rule("/all", view_func=every_order)
    return app
