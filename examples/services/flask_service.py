"""Invoices, in Flask."""

import os

from flask import Flask

from vestibule.client import Verifier
from vestibule.client.flask import Vestibule, current_caller

app = Flask(__name__)
vestibule = Vestibule(app, Verifier(os.environ["VESTIBULE_URL"], os.environ["SERVICE_KEY"]))


@app.get("/")
@vestibule.signed_in
def invoices() -> dict[str, str]:
    """The caller's invoices."""
    return {"invoices of": current_caller.id}
