"""`vestibule users import`: accounts from a file that another program exported, or from the tutorial's table."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from vestibule.cli.accounts import AsJson
from vestibule.cli.command_context import AccountSource, CommandContext, NamedFile
from vestibule.cli.console import notes, print_json
from vestibule.cli.usage import WrongUsage
from vestibule.flows.env import Env
from vestibule.flows.import_accounts import ImportListener, ImportReport, Source, import_accounts
from vestibule.model.imports import ExportFormat, RowConverter


def import_users(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="File that another program exported; see --format.")
    ] = None,
    format_: Annotated[
        ExportFormat | None, typer.Option("--format", help="Format of FILE. Default: recognised by its content.")
    ] = None,
    verified: Annotated[
        bool, typer.Option("--verified", help="Count an email as verified if FILE does not say whether it is.")
    ] = False,
    hash_config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="File with the project's password hash parameters, from the console of Firebase."
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Instead of FILE: database with the tutorial's `users` table. Default: DATABASE_URL. Leave out a "
            "password, which others could read here: set PGPASSWORD or PGPASSFILE.",
            metavar="URL",
        ),
    ] = None,
    admins: Annotated[
        bool, typer.Option("--admins", help="Import admins as admins. Otherwise they become users.")
    ] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Change nothing; show what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Import accounts from a file of another program, or the tutorial server's own `users` table, so that nobody has to
    choose a new password.

    Keeps ids and password hashes; a hash that is not ours is replaced at its owner's next sign-in. Accounts that are
    already here stay as they are, so it is safe to run again; the old table is only read.

    Rows that cannot be imported are listed with their lines or ids. Of emails that differ only in how they are written,
    such as in upper case, the verified account is imported, or else the older one. An account here that nobody verified
    is removed for a verified one with its email. Exit status 1 if anything was left out.
    """
    if file is not None and source is not None:
        raise WrongUsage("FILE and --from name two sources; give one of them; see: vestibule users import --help")
    if file is None and (format_ or verified or hash_config):
        raise WrongUsage("--format, --verified and --hash-config go with FILE; see: vestibule users import --help")
    named = NamedFile(file, format_, verified, hash_config) if file else None
    report = asyncio.run(_import(context.obj, _Asked(named, source, admins, dry)))
    if as_json:
        print_json({"dry_run": dry, **_for_programs(report)})
    else:
        _sum_up(report, dry=dry)
    raise typer.Exit(int(report.left_out > 0))


@dataclass(frozen=True)
class _Asked:
    file: NamedFile | None
    source: str | None
    admins: bool
    dry: bool


def _for_programs(report: ImportReport) -> dict[str, Any]:
    return {
        "imported": report.imported,
        "by_kind": dict(report.by_kind),
        "already_there": report.already_there,
        "made_room": report.made_room,
        "demoted": report.demoted,
        "left_out": report.left_out,
    }


def _sum_up(report: ImportReport, *, dry: bool) -> None:
    done = "Would import" if dry else "Imported"
    notes.print(f"{done} {report.imported:,} accounts; {report.already_there:,} were here already.")
    if report.by_kind:
        kinds = ", ".join(f"{kind} {number:,}" for kind, number in sorted(report.by_kind.items()))
        notes.print(f"By kind of hash: {kinds}.", highlight=False)
    if report.made_room:
        removed = "Would remove" if dry else "Removed"
        notes.print(f"{removed} {report.made_room:,} accounts that nobody had verified, each named above.")
    if report.demoted:
        notes.print(
            f"[yellow]{done} as users, though admins there: {report.demoted:,}.[/] A role from elsewhere is not "
            "believed without a word of yours. To keep them as admins, use --admins."
        )
    if report.left_out:
        notes.print(f"[yellow]Left out {report.left_out:,}[/], each named above.")


@asynccontextmanager
async def _opened(
    command_context: CommandContext, asked: _Asked, progress: Progress
) -> AsyncIterator[tuple[Env, AccountSource]]:
    """Open the database to import into, and the source. A FILE or a `--from` is opened before the database, so that a
    mistake in it is reported before wrong settings.
    """
    if asked.file is not None:
        task = progress.add_task("Reading", total=None)
        with command_context.export_file(
            asked.file, lambda done, size: progress.update(task, completed=done, total=size)
        ) as export:
            async with command_context.opened() as env:
                yield env, export
    elif asked.source:
        async with command_context.legacy(asked.source) as legacy, command_context.opened() as env:
            yield env, legacy
    else:
        async with (
            command_context.opened() as env,
            command_context.legacy(command_context.settings.database_address) as legacy,
        ):
            yield env, legacy


async def _import(command_context: CommandContext, asked: _Asked) -> ImportReport:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes) as progress:
        async with _opened(command_context, asked, progress) as (env, source):
            task = progress.add_task("Importing", total=await source.count())
            listener = _listener(progress, task, dry=asked.dry)
            converter = RowConverter(env.passwords.can_match, asked.admins)
            async with aclosing(source.batches()) as batches:  # close them even if the import is interrupted
                rows = Source(batches, converter, source.first_by_email)
                return await import_accounts(env, rows, listener, dry=asked.dry)


def _listener(progress: Progress, task: TaskID, *, dry: bool) -> ImportListener:
    def tell_left_out(row: str, reason: str) -> None:
        progress.console.print(f"Left out {row}: {reason}", markup=False, highlight=False)

    def tell_removed(squatter: str, owner: str) -> None:
        removed = "Would remove" if dry else "Removed"
        reason = f"nobody verified its email, which {owner} brings verified"
        progress.console.print(f"{removed} {squatter}: {reason}", markup=False, highlight=False)

    return ImportListener(lambda rows: progress.advance(task, rows), tell_left_out, tell_removed)
