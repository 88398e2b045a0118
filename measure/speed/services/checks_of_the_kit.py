"""`python -m measure.speed.services.checks_of_the_kit`: time `Verifier.check`, once it knows all revocations."""

from measure.speed.services.first_and_again import arguments, time_checks
from vestibule.client import Verifier

_READY_SECONDS = 60.0


def main() -> None:
    """Run the command."""
    url, service_key, tokens = arguments()
    verifier = Verifier(url, service_key)
    verifier.wait_ready(_READY_SECONDS)
    time_checks(verifier.check, tokens)
    verifier.close()


if __name__ == "__main__":
    main()
