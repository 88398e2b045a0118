"""The response bodies for services: public keys, and what a token says."""

from typing import Any, Literal

from pydantic import BaseModel

from vestibule.model.access_tokens import Issuer
from vestibule.model.accounts import Role
from vestibule.protocol.access_tokens import AccessToken
from vestibule.web.api.answers import Answer


class JwkSet(Answer):
    """Public keys (RFC 7517, section 5)."""

    keys: list[dict[str, Any]]


class Introspection(BaseModel):
    """Whether a token is valid now, and for whom (RFC 7662, section 2.2). An invalid token has only `active: false`."""

    active: bool
    sub: str | None = None
    sid: str | None = None
    jti: str | None = None
    role: Role | None = None
    roles: list[str] | None = None
    email_verified: bool | None = None
    iss: str | None = None
    aud: str | None = None
    iat: int | None = None
    exp: int | None = None
    auth_time: int | None = None
    amr: list[str] | None = None
    acr: str | None = None
    act: dict[Literal["sub"], str] | None = None
    token_type: Literal["Bearer"] | None = None

    @classmethod
    def of(cls, token: AccessToken | None, issuer: Issuer) -> "Introspection":
        if token is None:
            return cls(active=False)
        return cls(
            active=True,
            sub=token.account_id,
            sid=token.session_id,
            jti=token.id,
            role=Role(token.role),
            roles=list(token.roles) or None,
            email_verified=token.email_verified,
            iss=issuer.name,
            aud=issuer.audience,
            iat=token.issued_at,
            exp=token.expires_at,
            auth_time=token.authenticated_at,
            amr=list(token.methods),
            acr=token.level.acr,
            act={"sub": token.actor_id} if token.actor_id is not None else None,
            token_type="Bearer",  # noqa: S106  # a kind, not a secret
        )
