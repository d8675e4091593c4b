"""`codometer person`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from codometer.cli.client import ask_server, tell_server
from codometer.cli.options import asks_server
from codometer.model.words import counted

_PATH: Final = "/api/v1/people"
_REASON: Final = click.option("--reason", required=True, help="Why; it is kept in the audit log.")
_REVEAL_FIELDS: Final = ("asked", "account", "person", "reason", "approved", "approver", "ends")
_FIELDS: Final = ("sessions", "events", "readings", "first", "last")


@click.group(short_help="What people may ask for of their own data.")
def person() -> None:
    """Show, export and forget a person; say which pseudonyms are one person's.

    Name them by e-mail address, account, installation or pseudonym. Every use of
    these commands is in the audit log.
    """


@person.command(short_help="What is known of them, without a name.")
@click.argument("subject", metavar="PERSON")
@asks_server
def show(*, subject: str, url: str | None, form: str) -> None:
    """Show a person's pseudonyms, and how much is stored of them."""
    _print_person(tell_server(url, f"{_PATH}/show", {"subject": subject}), form)


@person.command(short_help="All that is stored of them, as a file for them.")
@click.argument("subject", metavar="PERSON")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    metavar="FILE",
    help="The ZIP file to write; it must not exist.",
)
@_REASON
@asks_server
def export(*, subject: str, output: Path, reason: str, url: str | None, form: str) -> None:
    """Write what is stored of a person to a ZIP file, without the words of their texts."""
    import base64
    import os

    from codometer.cli.output import print_json

    done = tell_server(url, f"{_PATH}/export", {"subject": subject, "reason": reason})
    packed = base64.b64decode(done["zip"])
    try:
        file = os.open(output, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error.strerror}") from error
    with os.fdopen(file, "wb") as opened:
        opened.write(packed)
    if form == "json":
        print_json({"file": str(output), "bytes": len(packed)})
    else:
        click.echo(f"{output} has all that is stored of them ({counted(len(packed), 'byte')}).")


@person.command(short_help="Erase them.")
@click.argument("subject", metavar="PERSON")
@_REASON
@click.option("--yes", is_flag=True, help="Do not ask.")
@asks_server
def forget(*, subject: str, reason: str, yes: bool, url: str | None, form: str) -> None:
    """Erase a person, after showing what that is.

    Single events, sessions and everything that names them go. What they cost stays
    in the sums, as of nobody. Data of theirs that comes late is refused.
    """
    path = f"{_PATH}/forget"
    preview = tell_server(url, path, {"subject": subject})
    if not yes:
        _confirm_erasure(preview)
    confirm = {"subject": subject, "reason": reason, "confirm": preview["person"]["person"]}
    done = tell_server(url, path, confirm)
    if form == "table":
        click.echo(f"{done['person']['person']} is erased.")
        _print_accounts(done["person"])
    else:
        _print_person(done, form)


@person.command(short_help="Decide that two pseudonyms are one person's.")
@click.argument("pseudonym", metavar="PSEUDONYM")
@click.argument("other", metavar="OTHER")
@_REASON
@asks_server
def merge(*, pseudonym: str, other: str, reason: str, url: str | None, form: str) -> None:
    """Make two pseudonyms one person's, in all that is stored and all that comes."""
    wanted = {"pseudonym": pseudonym, "with": other, "reason": reason}
    _print_person(tell_server(url, f"{_PATH}/merge", wanted), form)


@person.command(short_help="Take a pseudonym out of its person.")
@click.argument("pseudonym", metavar="PSEUDONYM")
@_REASON
@asks_server
def split(*, pseudonym: str, reason: str, url: str | None, form: str) -> None:
    """Take a pseudonym out of its person, in all that is stored and all that comes."""
    wanted = {"pseudonym": pseudonym, "reason": reason}
    _print_person(tell_server(url, f"{_PATH}/split", wanted), form)


@person.command(short_help="Confirm that an account is its owner's.")
@click.argument("account", metavar="ACCOUNT")
@_REASON
@asks_server
def link(*, account: str, reason: str, url: str | None, form: str) -> None:
    """Confirm that whoever signs in is the person whom clients call by that name.

    From then on their page My data shows them what is stored of that person. Confirm
    it only of somebody whom you know to have joined with the link that you sent.
    """
    _print_link(tell_server(url, f"{_PATH}/link", {"account": account, "reason": reason}), form)


@person.command(short_help="Take that back.")
@click.argument("account", metavar="ACCOUNT")
@_REASON
@asks_server
def unlink(*, account: str, reason: str, url: str | None, form: str) -> None:
    """No longer show an account what is stored of the person of its name."""
    _print_link(tell_server(url, f"{_PATH}/unlink", {"account": account, "reason": reason}), form)


@person.command(short_help="Who asked for whose name.")
@asks_server
def reveals(*, url: str | None, form: str) -> None:
    """List who may ask for the names behind pseudonyms, and what was asked in the last day.

    Asking, agreeing and being told is for people who have signed in, on the page
    Privacy, Names behind pseudonyms.
    """
    from codometer.cli.output import print_csv, print_json, print_rows

    document = ask_server(url, "/api/v1/reveals")
    if form == "json":
        print_json(document)
        return
    rows = [[_cell(each[name]) for name in _REVEAL_FIELDS] for each in document["asked"]]
    if form == "csv":
        print_csv(list(_REVEAL_FIELDS), rows)
        return
    for each in document["lent"]:
        click.echo(f"{each['account']} may ask until {each['until'][:16]} UTC.")
    if not document["lent"]:
        click.echo("At the moment nobody may ask.")
    if rows:
        print_rows([name.capitalize() for name in _REVEAL_FIELDS], rows)


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _print_link(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import clean, print_csv, print_json

    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(list(document), [[_cell(value) for value in document.values()]])
    elif document["linked"]:
        click.echo(f"{document['account']} is {clean(document['login'])}, and sees their data.")
    else:
        click.echo(f"{document['account']} sees no person's data.")


@person.command(short_help="A person, a service, or somebody who objects.")
@click.argument("subject", metavar="PERSON")
@click.option(
    "--as",
    "treatment",
    type=click.Choice(("person", "service", "excluded")),
    required=True,
    help="How their records are treated.",
)
@_REASON
@asks_server
def treat(*, subject: str, treatment: str, reason: str, url: str | None, form: str) -> None:
    """Say how somebody's records are treated, whatever the rules for services say.

    \b
    person    as usual
    service   no person: counted apart, and in no minimum of people
    excluded  from now on as nobody's, because they object; what it costs is kept.
              What is stored already stays until it is forgotten.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from codometer.cli.output import print_csv, print_json

    wanted = {"subject": subject, "as": treatment, "reason": reason}
    done = tell_server(url, f"{_PATH}/treat", wanted)
    if form == "json":
        print_json(done)
    elif form == "csv":
        print_csv(["sessions"], [[str(done["sessions"])]])
    else:
        click.echo(
            f"Their records are treated as {treatment} from now on; {done['sessions']} stored"
            " sessions were changed."
        )


@person.command(short_help="What people asked for, and do or decline it.")
@click.option("--do", "done", metavar="ID", help="Do what was asked for.")
@click.option("--decline", "declined", metavar="ID", help="Decline it; the person reads why.")
@click.option("--reason", help="Why; it is kept, and the person reads it.")
@click.option("--yes", is_flag=True, help="Erase without asking.")
@asks_server
def requests(
    *,
    done: str | None,
    declined: str | None,
    reason: str | None,
    yes: bool,
    url: str | None,
    form: str,
) -> None:
    """List what people asked for on their own page, or decide one of it.

    \b
    erasure     to do it forgets the person, for good
    objection   to do it makes their records nobody's from now on
    correction  merge or split first, then say here that it is done
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if done and declined:
        raise click.UsageError("--do and --decline exclude each other")
    path = f"{_PATH}/requests"
    chosen = done or declined
    if chosen and not reason:
        raise click.UsageError("to decide needs --reason")
    if chosen:
        wanted = {"request": chosen, "reason": reason}
        if done and (person := _find_to_erase(url, done)):
            if not yes:
                _confirm_erasure(tell_server(url, f"{_PATH}/forget", {"subject": person}))
            wanted["confirm"] = person
        document = tell_server(url, f"{path}/{'do' if done else 'decline'}", wanted)
    else:
        document = ask_server(url, path)
    _print_requests(document, form)


def _find_to_erase(url: str | None, request: str) -> str | None:
    """Return whom a request asks to erase; None where it asks for something else."""
    for each in ask_server(url, f"{_PATH}/requests")["requests"]:
        if (each["id"], each["right"]) == (request, "erasure"):
            person: str = each["person"]
            return person
    return None


def _confirm_erasure(preview: dict[str, Any]) -> None:
    _print_person(preview, "table")
    click.confirm("Erase this person for good?", abort=True)


def _print_requests(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import clean, print_csv, print_json, print_rows

    names = ("id", "right", "person", "asked", "due", "age_days", "is_overdue", "words")
    rows = [[clean(str(each[name])) for name in names] for each in document["requests"]]
    if form == "json":
        print_json(document)
    elif form == "csv":
        print_csv(list(names), rows)
    elif rows:
        print_rows(
            ["Request", "Right", "Person", "Asked", "Due", "Days", "Overdue", "Words"],
            [[*row[:3], row[3][:10], row[4][:10], *row[5:]] for row in rows],
        )
    else:
        click.echo("Nobody waits for anything that they asked for.")


def _print_person(document: dict[str, Any], form: str) -> None:
    from codometer.cli.output import clean, print_csv, print_json

    found = document["person"]
    if form == "json":
        print_json(document)
        return
    if form == "csv":
        print_csv(["person", *_FIELDS], [[str(found[name]) for name in ("person", *_FIELDS)]])
        return
    click.echo(clean(found["person"]))
    for known in found["pseudonyms"]:
        click.echo(f"  {known['pseudonym']}  {known['kind']}, since {known['first_seen'][:10]}")
    click.echo(
        f"{counted(found['sessions'], 'session')}, {counted(found['events'], 'event')} and"
        f" {counted(found['readings'], 'reading')},"
        f" from {found['first']} to {found['last']}"
    )
    for each in found["teams"]:
        end = f" until {each['until']}" if each["until"] else ""
        click.echo(f"In the team {clean(each['team'])} since {each['since']}{end}")
    _print_accounts(found)


def _print_accounts(found: dict[str, Any]) -> None:
    for account in found["accounts"]:
        click.echo(f"They have the account {account}: codometer account disable {account}")
    for credential in found["credentials"]:
        click.echo(f"The credential {credential} names them.")
