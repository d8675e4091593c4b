"""`codometer content`."""

from __future__ import annotations

from typing import Any, Final

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server
from codometer.model.words import counted

_PATH: Final = "/api/v1/content"
_FIELDS: Final = ("project", "purpose", "reviewers", "days", "expires")
_TEXT_FIELDS: Final = ("time", "project", "person", "session", "name", "part", "text")
_REASON: Final = click.option("--reason", required=True, help="Why; it is kept in the audit log.")
_PROJECT: Final = click.argument("project", metavar="PROJECT")


@click.group(short_help="What people and models write, where it is agreed to keep it.")
def content() -> None:
    """Open projects for content, close them, and read what is kept.

    A project is repository:NAME, or team:NAME for clients that tell no repository.
    Nothing is kept of anybody who did not agree, which people do for themselves.
    """


@content.command("list", short_help="Which projects are open.")
@asks_server
def list_(*, url: str | None, form: str) -> None:
    """List the projects that are open, what for, and who may read."""
    _print_projects(ask_server(url, f"{_PATH}/projects"), form)


@content.command("open", short_help="Open a project.")
@_PROJECT
@click.option("--purpose", required=True, help="What for; whoever agrees has read it.")
@click.option("--reviewer", "reviewers", multiple=True, help="Who may read; can be repeated.")
@click.option("--days", type=int, default=180, show_default=True, help="When it ends by itself.")
@asks_server
def open_(
    *,
    project: str,
    purpose: str,
    reviewers: tuple[str, ...],
    days: int,
    url: str | None,
    form: str,
) -> None:
    """Open a project for content. To open it for something else asks everybody again."""
    wanted = {"project": project, "purpose": purpose, "reviewers": [*reviewers], "days": days}
    _print_projects(tell_server(url, f"{_PATH}/projects/open", wanted), form)


@content.command(short_help="Close a project.")
@_PROJECT
@_REASON
@asks_server
def close(*, project: str, reason: str, url: str | None, form: str) -> None:
    """Close a project, and delete what was kept of it."""
    wanted = {"project": project, "reason": reason}
    _print_projects(tell_server(url, f"{_PATH}/projects/close", wanted), form)


@content.command(short_help="Take back for a person what they agreed to.")
@click.argument("subject", metavar="PERSON")
@_PROJECT
@_REASON
@asks_server
def withdraw(*, subject: str, project: str, reason: str, url: str | None, form: str) -> None:
    """End a person's consent, and delete what was kept by it."""
    from codometer.cli.output import print_json

    wanted = {"subject": subject, "project": project, "reason": reason}
    done = tell_server(url, f"{_PATH}/withdraw_for", wanted)
    if form == "json":
        print_json(done)
    else:
        click.echo(f"Deleted: {counted(done['deleted'], 'text')}. No more are kept.")


@content.command(short_help="Read what is kept.")
@click.option("--project", default="", help="Only of one project.")
@click.option("--person", default="", metavar="PSEUDONYM", help="Only of one person.")
@click.option("--session", default="", help="Only of one session.")
@click.option("--reason", default="", help="Why; the people whose it is see it.")
@asks_server
def show(
    *, project: str, person: str, session: str, reason: str, url: str | None, form: str
) -> None:
    """Show the newest texts that are kept, without secrets and names.

    Only people read content: those whose it is, those whom a project was opened to,
    and, where nobody signs in, whoever is at this machine. It is in the audit log.
    """
    from codometer.cli.output import clean, print_csv, print_json

    wanted = {"project": project, "person": person, "session": session, "reason": reason}
    found = tell_server(url, f"{_PATH}/read", wanted)
    if form == "json":
        print_json(found)
        return
    if form == "csv":
        rows = [[each[field] for field in _TEXT_FIELDS] for each in found["texts"]]
        print_csv(list(_TEXT_FIELDS), rows)
        return
    for each in found["texts"]:
        head = " ".join(str(each[field]) for field in _TEXT_FIELDS[:-1] if each[field])
        click.secho(clean(head), bold=True)
        for line in each["text"].splitlines():
            click.echo(clean(line))
        click.echo()


def _print_projects(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import print_csv, print_json, print_rows

    if form == "json":
        print_json(document)
        return
    rows = [
        [each["project"], each["purpose"], ", ".join(each["reviewers"]), each["days"],
         each["expires"][:10]]
        for each in document["projects"]
    ]  # fmt: skip
    if form == "csv":
        print_csv(list(_FIELDS), rows)
    elif rows:
        print_rows([field.capitalize() for field in _FIELDS], rows)
    else:
        click.echo("No project is open for content: none of it is kept.")
