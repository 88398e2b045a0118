"""`python -m measure.speed.services.checks_of_pyjwt`: time PyJWT with its `PyJWKClient`, which caches keys."""

from typing import Any

import jwt

from measure.speed.services.first_and_again import AUDIENCE, ISSUER, arguments, time_checks


def main() -> None:
    """Run the command."""
    url, _, tokens = arguments()
    client = jwt.PyJWKClient(f"{url}/.well-known/jwks.json", cache_keys=True)

    def check(token: str) -> Any:
        key = client.get_signing_key_from_jwt(token)
        return jwt.decode(token, key, algorithms=["RS256"], audience=AUDIENCE, issuer=ISSUER)

    time_checks(check, tokens)


if __name__ == "__main__":
    main()
