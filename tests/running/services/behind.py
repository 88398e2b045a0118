"""What the services of this folder share: one verifier, which starts when the environment says."""

import os

from vestibule.client import Verifier

verifier = Verifier(
    os.environ["SERVICE_VESTIBULE"], os.environ["SERVICE_KEY"], staleness=float(os.environ["SERVICE_STALENESS"])
)


def start() -> None:
    """Start it here and now, if it shall be: each service calls this last, so that its server forks right after it."""
    if os.environ["SERVICE_START"] == "WAITED":
        verifier.start()
    if os.environ["SERVICE_START"] == "IMPORT":
        verifier._here().begin()
