"""`vestibule keys`: show and rotate the signing keys, or generate keys to set on several machines."""

import asyncio
import base64
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.markup import escape

from vestibule.cli.accounts import AsJson, AsJsonLines
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import notes, print_json, results
from vestibule.cli.discreet_command import Commands, DiscreetCommand
from vestibule.cli.print_keys import details_of, given_table, print_given, print_stored, stored_table
from vestibule.cli.tables import Long, print_records
from vestibule.crypto import jwk
from vestibule.flows.env import Env
from vestibule.flows.follow_keys import ensure_next_keys
from vestibule.flows.open_key_ring import stored_keys
from vestibule.flows.reencrypt_totps import Reencrypted, reencrypt_totps
from vestibule.flows.rotate_keys import reencrypt_keys, require_key_manager, rotate_keys, withdraw_key
from vestibule.model.signing_keys import KeyState, KeyUse, SealedKey
from vestibule.process.operator_errors import OperatorError


class TotpsNotOpened(OperatorError):
    """Some secrets of authenticator apps could not be re-encrypted. The message says what to do."""


Now = Annotated[bool, typer.Option("--now", help="After a leak: skip the usual delay.")]


class KeySize(StrEnum):
    """Sizes of an RSA key, in bits: the same that VESTIBULE_SIGNING_ALGORITHM offers."""

    SMALL = "2048"
    NORMAL = "3072"
    LARGE = "4096"


class Uses(StrEnum):
    """Which keys to rotate."""

    ACCESS = "access"
    REFRESH = "refresh"
    BOTH = "both"


keys = Commands(no_args_is_help=True, help="Show, rotate, withdraw, re-encrypt or generate signing keys.")


@keys.command("list")
def list_keys(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Include keys that are gone.")] = False,
    long: Long = False,
    as_json: AsJsonLines = False,
) -> None:
    """List the keys with use, id, kind and state. Never shows a private key.

    *next* is published and will sign; *current* signs; *retired* verifies what it signed; *gone* is no longer used.
    `--long` also says until when a retired key verifies.
    """
    command_context: CommandContext = context.obj
    given = command_context.given_keys()
    if given is not None:
        print_given(given) if as_json else results.print(given_table(given))
        return
    stored = asyncio.run(command_context.stored_keys())
    if not stored:
        notes.print("There are no keys yet; the first start of the server makes them: vestibule serve")
        return
    listed = sorted(
        (key for key in stored if everything or key.state is not KeyState.GONE),
        key=lambda key: (key.use, list(KeyState).index(key.state)),
    )
    if as_json:
        print_stored(listed)
    elif long:
        print_records([(key.kid, details_of(key)) for key in listed])
    else:
        results.print(stored_table(listed))


@keys.command()
def rotate(
    context: typer.Context,
    use: Annotated[Uses, typer.Option(help="Which keys to rotate.")] = Uses.BOTH,
    now: Now = False,
    as_json: AsJson = False,
) -> None:
    """Let the next key sign, retire the current one, and publish a new next one.

    Rotates the keys of both uses, or none; with `--use access` or `--use refresh` only the keys of that use. Signs
    nobody out, and no process needs a restart. The next keys must have been published for as long as services may cache
    the published keys (VESTIBULE_JWKS_SECONDS, and a little more).
    """
    command_context: CommandContext = context.obj
    uses = list(KeyUse) if use is Uses.BOTH else [KeyUse(use.value)]
    kids, stored = asyncio.run(_rotate(command_context, uses, early=now))
    if as_json:
        print_json({"signing": {name.value: kid for name, kid in kids.items()}})
        return
    for name, kid in kids.items():
        results.print(f"{kid} signs {name.value} tokens from now on.")
    for key in _of_another_kind(stored, kids):
        notes.print(f"The next {key.use.value} key is of another kind, {key.alg}. It signs after the next rotation.")


class _AnyKeyIdCommand(DiscreetCommand):
    """A command whose argument is a key id. One id in sixty-four begins with a dash, perhaps with `-h`. So the command
    has no one-letter options: `-h` asks for help only if it stands alone, and unknown options count as arguments.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Return the rest of the arguments."""
        return super().parse_args(ctx, ["--help" if word == "-h" else word for word in args])


@keys.command(cls=_AnyKeyIdCommand, context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
def withdraw(
    context: typer.Context,
    kid: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `vestibule keys list` shows it.")],
    now: Now = False,
    as_json: AsJson = False,
) -> None:
    """Withdraw a key: tokens that it signed are rejected from now on.

    The server withdraws a retired key by itself once all tokens that it signed have expired. After a leak, `--now`
    withdraws a retired or a next key at once: holders of its tokens have to refresh, or, if it is a refresh key, to
    sign in again.
    """
    command_context: CommandContext = context.obj
    asyncio.run(_withdraw(command_context, kid, early=now))
    if as_json:
        print_json({"kid": kid, "state": "gone"})
    else:
        results.print(f"{escape(kid)} is gone.")


@keys.command()
def reencrypt(context: typer.Context, as_json: AsJson = False) -> None:
    """Re-encrypt the keys, and the secrets of authenticator apps, in the database with VESTIBULE_SECRET_KEY.

    First set the new VESTIBULE_SECRET_KEY on every machine, with the previous one as VESTIBULE_SECRET_KEY_OLD, and
    restart them; then run this; then unset VESTIBULE_SECRET_KEY_OLD.
    """
    command_context: CommandContext = context.obj
    count, apps = asyncio.run(_reencrypt(command_context))
    settings = command_context.settings
    where = "VESTIBULE_SECRET_KEY" if settings.secret_key.get_secret_value() else "the secret.key in VESTIBULE_DATA"
    if apps.not_opened:
        raise TotpsNotOpened(
            f"{apps.not_opened} secrets of authenticator apps were encrypted with another secret: put that into "
            "VESTIBULE_SECRET_KEY_OLD and run this again; if it is lost, their owners sign in with a recovery code or "
            "a passkey, and add the app anew"
        )
    if as_json:
        print_json({"keys": count, "authenticator_apps": apps.secrets})
        return
    and_apps = f" and {apps.secrets} secrets of authenticator apps" if apps.secrets else ""
    old = " VESTIBULE_SECRET_KEY_OLD is no longer needed." if settings.secret_key_old.get_secret_value() else ""
    results.print(f"{count} keys{and_apps} are encrypted with {where}.{old}")


@keys.command()
def generate(
    bits: Annotated[KeySize, typer.Option(help="Size of each RSA key, in bits.")] = KeySize.NORMAL,
) -> None:
    """Print two new key pairs as the four JWT_… settings, ready for an environment file.

    Stores nothing. Anybody who has these lines can sign anybody in: keep them where you keep secrets.
    """
    for name in ("ACCESS", "REFRESH"):
        key = jwk.generate(int(bits.value))
        print(f"JWT_{name}_TOKEN_PRIVATE_KEY={base64.b64encode(key.to_pem()).decode()}")
        print(f"JWT_{name}_TOKEN_PUBLIC_KEY={base64.b64encode(key.public.to_pem()).decode()}")
    notes.print("Put these four lines into the server's environment, the same on every machine.")


async def _rotate(
    command_context: CommandContext, uses: list[KeyUse], *, early: bool
) -> tuple[dict[KeyUse, str], list[SealedKey]]:
    """Rotate the keys; return the new current keys' ids, and all keys that are stored then."""
    async with command_context.opened() as env:
        if early:
            await _wait_until_next_keys_are_known(env, uses)
        return await rotate_keys(env, uses, early=early), await stored_keys(env.store)


def _of_another_kind(stored: list[SealedKey], kids: dict[KeyUse, str]) -> list[SealedKey]:
    """Return the next keys whose algorithm is not that of the new current key. `kids` has the ids of the new current
    keys; a use that was not rotated has none, and its next key is left out.
    """
    signing = {key.use: key.alg for key in stored if kids.get(key.use) == key.kid}
    return [key for key in stored if key.state is KeyState.NEXT and key.alg != signing.get(key.use, key.alg)]


async def _wait_until_next_keys_are_known(env: Env, uses: list[KeyUse]) -> None:
    """Wait for `revocation_staleness`. Each process reads the next keys once a second, and lets nobody in if it could
    not for that long: so afterwards no process that lets people in lacks them.
    """
    require_key_manager(env)
    if set(uses) & set(env.keys.uses_without_next):
        await ensure_next_keys(env)
    seconds = env.policy.revocation_staleness.total_seconds()
    notes.print(f"Waiting {seconds:.0f} seconds, until every process knows the next keys …")
    await asyncio.sleep(seconds)


async def _withdraw(command_context: CommandContext, kid: str, *, early: bool) -> None:
    async with command_context.opened() as env:
        await withdraw_key(env, kid, early=early)


async def _reencrypt(command_context: CommandContext) -> tuple[int, Reencrypted]:
    async with command_context.opened() as env:
        # If the settings give the signing keys, the database has no keys, but may have secrets of authenticator apps.
        # Without a seal it has neither: then `reencrypt_keys` refuses, and says why.
        has_only_apps = env.key_manager is None and env.seal is not None
        count = 0 if has_only_apps else await reencrypt_keys(env)
        return count, await reencrypt_totps(env)
