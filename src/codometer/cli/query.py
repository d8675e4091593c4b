"""`codometer query`."""

from __future__ import annotations

import click

from codometer.cli.client import ask_server
from codometer.cli.options import asks_server


@click.command(short_help="Ask for numbers.")
@click.argument("measures", nargs=-1, metavar="[MEASURE]...")
@click.option("--by", multiple=True, metavar="DIM", help="Group by this dimension; repeatable.")
@click.option(
    "--since",
    default="30d",
    show_default=True,
    metavar="TIME",
    help="From here on: 30d, 12h, a date or an instant.",
)
@click.option("--until", metavar="TIME", help="Up to here, excluded [now].")
@click.option("--where", multiple=True, metavar="DIM=VALUE", help="Only these; repeatable.")
@click.option(
    "--compare", type=click.Choice(["previous"]), help="Set the period before it beside it."
)
@click.option("--timezone", metavar="ZONE", help="Cut days in this zone [the organisation's].")
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
    codometer query acceptance_ratio --where model=claude-opus-4-5

    Without a measure it lists all measures and dimensions.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    if not measures:
        _show(ask_server(url, "/api/v1/measures"), form)
        return
    parameters = [("measures", ",".join(measures)), ("from", since)]
    optional = {"to": until, "by": ",".join(by), "compare": compare, "timezone": timezone}
    parameters += [(name, value) for name, value in optional.items() if value]
    parameters += [("where", _filter(text)) for text in where]
    _show(ask_server(url, "/api/v1/query", parameters), form)


def _filter(text: str) -> str:
    """Turn DIM=VALUE into the API's dim:value."""
    dimension, equals, value = text.partition("=")
    if not equals or not dimension:
        raise click.BadParameter(f"{text!r} is not DIM=VALUE", param_hint="--where")
    return f"{dimension}:{value}"


def _show(answer: object, form: str) -> None:
    from codometer.serve.exact_json import encode

    del form
    click.echo(encode(answer, indent=2))
