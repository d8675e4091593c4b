"""The command line: commands and options, no logic."""

from __future__ import annotations

import click

from codometer.cli.account import account
from codometer.cli.audit import audit
from codometer.cli.config import config
from codometer.cli.content import content
from codometer.cli.credential import credential
from codometer.cli.demo import demo
from codometer.cli.edge import EdgeGroup
from codometer.cli.keys import keys
from codometer.cli.people import people
from codometer.cli.person import person
from codometer.cli.privacy import privacy
from codometer.cli.query import query
from codometer.cli.retention import retention
from codometer.cli.serve import serve
from codometer.cli.simulate import simulate
from codometer.cli.status import status
from codometer.cli.team import team
from codometer.settings import installed_version


@click.group(cls=EdgeGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version=installed_version(), message="codometer %(version)s")
def main() -> None:
    """Codometer, an odometer for coding agents.

    It receives the OpenTelemetry that Claude Code sends and answers what the
    use of it costs, who and what drives that, and whether it works.

    \b
    Start here:
      codometer serve     run the server; it prints how to connect a client
      codometer demo      run it with a simulated fleet, to see what it is
      codometer status    see what arrives
      codometer query tokens cost --by model

    Exit status: 0 done, 1 the answer is "no", 2 wrong usage, 3 no server answers.
    """  # noqa: D301 - \b is click's mark for lines that stay as they are


main.add_command(serve)
main.add_command(demo)
main.add_command(simulate)
main.add_command(query)
main.add_command(status)
main.add_command(config)
main.add_command(credential)
main.add_command(audit)
main.add_command(account)
main.add_command(keys)
main.add_command(privacy)
main.add_command(people)
main.add_command(person)
main.add_command(team)
main.add_command(content)
main.add_command(retention)
