"""`codometer query`."""

from __future__ import annotations

import click

from codometer.cli.client import ask_server
from codometer.cli.options import asks_server

Parameters = list[tuple[str, str]]


@click.command(short_help="Ask for numbers.")
@click.argument("measures", nargs=-1, metavar="[MEASURE]...")
@click.option("--by", multiple=True, metavar="DIM", help="Group by this dimension; repeatable.")
@click.option(
    "--since",
    default="30d",
    show_default=True,
    metavar="TIME",
    help="From here on: 30d, 12h, 2w, a date or an instant.",
)
@click.option("--until", metavar="TIME", help="Up to here, not included.  [default: now]")
@click.option("--where", multiple=True, metavar="DIM=VALUE", help="Only these; repeatable.")
@click.option("--compare", type=click.Choice(["previous"]), help="Set the period before beside it.")
@click.option(
    "--timezone", metavar="ZONE", help="Cut days in this zone.  [default: the organisation's]"
)
@asks_server
def query(
    *,
    measures: tuple[str, ...],
    by: tuple[str, ...],
    since: str,
    until: str | None,
    where: tuple[str, ...],
    compare: str | None,
    timezone: str | None,
    url: str | None,
    form: str,
) -> None:
    """Ask for numbers: any measures, by any dimensions.

    \b
      codometer query tokens cost --by model
      codometer query cost --by day --since 7d
      codometer query cost sessions --by team --compare previous
      codometer query requests --where agent=claude_code --where team=

    A filter without a value asks for what is not known. Without a measure this
    lists all measures and dimensions.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if not measures:
        _print_catalogue(url, form)
        return
    parameters = [("measures", ",".join(measures)), ("from", since)]
    optional = {"to": until, "compare": compare, "timezone": timezone}
    parameters += [(name, value) for name, value in optional.items() if value]
    parameters += [("where", _filter(text)) for text in where]
    _print_numbers(url, parameters, ",".join(by), form)


def _filter(text: str) -> str:
    """Turn DIM=VALUE into the API's dim:value."""
    dimension, equals, value = text.partition("=")
    if not equals or not dimension:
        raise click.BadParameter(f"{text!r} is not DIM=VALUE", param_hint="--where")
    return f"{dimension}:{value}"


def _print_numbers(url: str | None, parameters: Parameters, by: str, form: str) -> None:
    from codometer.cli.answer_table import print_answer
    from codometer.cli.output import print_json
    from codometer.cli.query_csv import print_answer_csv

    path = "/api/v1/query"
    answer = ask_server(url, path, [*parameters, ("by", by)] if by else parameters)
    if form == "json":
        print_json(answer)
    elif form == "csv":
        print_answer_csv(answer)
    else:
        several = by and len(answer["rows"]) > 1
        # Not every measure adds up: the line below the table is a question of its own.
        print_answer(answer, ask_server(url, path, parameters) if several else None)


def _print_catalogue(url: str | None, form: str) -> None:
    from codometer.cli.catalogue_table import print_catalogue
    from codometer.cli.output import print_csv, print_json

    measures = ask_server(url, "/api/v1/measures")
    dimensions = ask_server(url, "/api/v1/dimensions")
    if form == "json":
        print_json(measures | dimensions)
    elif form == "csv":
        print_csv(
            ["kind", "name", "label", "definition"],
            [
                [kind, entry["name"], entry["label"], entry["definition"]]
                for kind, entries in (
                    ("measure", measures["measures"]),
                    ("dimension", dimensions["dimensions"]),
                )
                for entry in entries
            ],
        )
    else:
        print_catalogue(measures["measures"], dimensions["dimensions"])
