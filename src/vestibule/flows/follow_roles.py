"""Follow the custom roles: keep what this process knows of them the same as the database, and sign it for services.

Every process reads the roles once a second. A process that could not for a while reads them before it publishes them.
"""

from vestibule.flows.env import Env
from vestibule.model.errors import Overloaded
from vestibule.model.store import Store
from vestibule.process.niced_threads import PoolFull
from vestibule.protocol.permissions import PATH, sign
from vestibule.state.role_book import SignedPermissions

_SIGNED_AGAIN_SECONDS = 300.0


async def reread_roles(env: Env, store: Store) -> None:
    """Read the roles from `store` again; raises `StoreUnavailable`."""
    sent_at = env.clock.monotonic()
    async with store.reading() as read:
        env.roles.learn(await read.custom_roles.all(), sent_at)


async def publish_permissions(env: Env) -> SignedPermissions:
    """Return the document of permissions, signed by the access key; raises `StoreUnavailable` and `Overloaded`.

    Concurrent calls share one read and one signature. A document that is still right is returned as it is.
    """
    book = env.roles  # `reading` and `signing` share work by a key; there is one document, so its path is the only key
    if env.clock.monotonic() - book.looked_at > env.policy.revocation_staleness.total_seconds():
        await book.reading.result(PATH, lambda: reread_roles(env, env.store))
    if book.signed is not None and _is_right(env, book.signed):
        return book.signed
    return await book.signing.result(PATH, lambda: _sign(env))


def _is_right(env: Env, signed: SignedPermissions) -> bool:
    """Return whether a document has the roles as they are known, and was signed lately, by the current key."""
    return (
        signed.permissions.version == env.roles.permissions.version
        and signed.key_id == env.keys.access.signing.public.kid
        and env.clock.monotonic() - signed.signed_at < _SIGNED_AGAIN_SECONDS
    )


async def _sign(env: Env) -> SignedPermissions:
    permissions, key, issuer = env.roles.permissions, env.keys.access.signing, env.policy.issuer.name
    now, issued_at = env.clock.monotonic(), int(env.clock.now().timestamp())
    try:
        text = await env.signing.run(sign, permissions, issuer, issued_at, key)
    except PoolFull:
        raise Overloaded from None
    env.roles.signed = SignedPermissions(text, permissions, key.public.kid, now)
    return env.roles.signed
