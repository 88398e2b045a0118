"""`vestibule keys`: look at the signing keys, or make some to hand to several machines."""

import asyncio
import base64
from enum import StrEnum
from typing import Annotated

import typer
from rich.box import SIMPLE
from rich.table import Column, Table

from vestibule.cli.console import notes, results
from vestibule.cli.workshop import Workshop
from vestibule.crypto import jwk
from vestibule.model.signing_keys import KeyRing


class KeySize(StrEnum):
    """The sizes that settings offer too."""

    SMALL = "2048"
    NORMAL = "3072"
    LARGE = "4096"


keys = typer.Typer(no_args_is_help=True, help="Look at the signing keys, or make new ones.")


@keys.command("list")
def list_keys(context: typer.Context) -> None:
    """Show the keys in force: what for, which id, what kind. Never the private half."""
    workshop: Workshop = context.obj
    ring = asyncio.run(_ring(workshop))
    table = Table("use", Column("key id", no_wrap=True), "kind", "now", box=SIMPLE)
    for use, key_set in (("access", ring.access), ("refresh", ring.refresh)):
        for kid, key in key_set.checking.items():
            state = "signs" if kid == key_set.signing.kid else "checks"
            table.add_row(use, kid, f"{key.alg} {key.bits}", state)
    results.print(table)


@keys.command()
def generate(
    bits: Annotated[KeySize, typer.Option(help="Size of each RSA key, in bits.")] = KeySize.NORMAL,
) -> None:
    """Print two new key pairs as the four JWT_… settings, ready for an environment file.

    Nothing is stored. Whoever has these lines can sign anybody in: keep them where secrets are kept.
    """
    for name in ("ACCESS", "REFRESH"):
        key = jwk.generate(int(bits.value))
        print(f"JWT_{name}_TOKEN_PRIVATE_KEY={base64.b64encode(key.to_pem()).decode()}")
        print(f"JWT_{name}_TOKEN_PUBLIC_KEY={base64.b64encode(key.public.to_pem()).decode()}")
    notes.print("Put these four lines where the server reads its environment, on every machine the same.")


async def _ring(workshop: Workshop) -> KeyRing:
    async with workshop.opened() as env:
        return env.keys
