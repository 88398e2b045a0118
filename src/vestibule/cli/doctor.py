"""`vestibule doctor`: check the installation for common problems, and say what to do."""

from dataclasses import asdict
from typing import Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Group
from rich.table import Column, Table
from rich.text import Text

from vestibule.cli.accounts import AsJson
from vestibule.cli.command_context import CommandContext
from vestibule.cli.console import print_json, results
from vestibule.model.findings import Finding, Severity, fault
from vestibule.settings.reading import WrongSettings
from vestibule.settings.types import shown

_MARKS = {
    Severity.FINE: "[green]✓[/]",
    Severity.HINT: "[cyan]•[/]",
    Severity.WARNING: "[yellow]![/]",
    Severity.FAULT: "[red]✗[/]",
}
_STYLES = {Severity.FINE: "", Severity.HINT: "cyan", Severity.WARNING: "yellow", Severity.FAULT: "bold red"}


def _server_url(url: str | None) -> str | None:
    """Return the URL unchanged; raises `typer.BadParameter` if it is malformed or has a path."""
    try:
        parts = urlsplit(url or "")
        _ = parts.port  # raises ValueError if that is not the number of a port
    except ValueError:  # not chained: its message quotes the whole URL
        raise typer.BadParameter(f"{shown(url or '')} is not an address such as https://auth.example.com") from None
    if parts.scheme in {"http", "https"} and parts.path.strip("/"):
        server = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        raise typer.BadParameter(f"give it without a path: {server}")
    return url


def doctor(
    context: typer.Context,
    url: Annotated[
        str | None,
        typer.Option(callback=_server_url, metavar="URL", help="Check the server at this URL, from outside."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the installation for common problems (read-only).

    Without --url: settings, cookies and origins, database, clocks, keys, Redis and mail of this machine.
    Exit status: 1 if something does not work, 2 if a setting is wrong (then only settings are checked), else 0.
    """
    command_context: CommandContext = context.obj
    try:
        _ = command_context.settings  # reads them all
    except WrongSettings as reason:
        if as_json:
            _print_json(_findings_of(reason))
        raise  # `endings.explained` prints every line, as for every command
    found = command_context.examine(url)
    if as_json:
        _print_json(found)
    else:
        _show(found)
    raise typer.Exit(int(any(finding.severity is Severity.FAULT for finding in found)))


def _findings_of(reason: WrongSettings) -> list[Finding]:
    remedy = "correct the setting where it is set, and run this again; docs/settings.md lists every setting"
    why = "No server and no command starts with this setting, so nothing else was checked."
    return [fault("settings", line, why, remedy) for line in str(reason).split("\n")]


def _print_json(found: list[Finding]) -> None:
    print_json([asdict(finding) for finding in found])


def _show(found: list[Finding]) -> None:
    lines = Table.grid(Column(no_wrap=True), Column(no_wrap=True), Column(overflow="fold"), padding=(0, 1))
    for number, finding in enumerate(found):
        # Show a subject only beside its first finding.
        is_first = number == 0 or found[number - 1].subject != finding.subject
        lines.add_row(
            f" {_MARKS[finding.severity]}", f"[bold]{finding.subject}[/] " if is_first else "", _text(finding)
        )
    results.print("", lines, "", f" {_summary(found)}", "", sep="\n", soft_wrap=False)


def _text(finding: Finding) -> Group:
    what = Text(finding.what, style=_STYLES[finding.severity])
    if finding.severity is Severity.FINE:
        return Group(what)
    return Group(what, Text(finding.why, style="dim"), Text.assemble(("→ ", "bold"), finding.remedy), "")


def _summary(found: list[Finding]) -> str:
    counts = {severity: sum(finding.severity is severity for finding in found) for severity in Severity}
    if counts[Severity.FAULT]:
        return f"[bold red]{_pluralize(counts[Severity.FAULT], 'thing does', 'things do')} not work.[/]"
    if counts[Severity.WARNING]:
        return f"[yellow]It works; {_pluralize(counts[Severity.WARNING], 'warning', 'warnings')}.[/]"
    return "[green]All is well.[/]"


def _pluralize(count: int, one: str, several: str) -> str:
    """Return the count with the form that goes with it: 1 warning, 2 warnings."""
    return f"{count} {one if count == 1 else several}"
