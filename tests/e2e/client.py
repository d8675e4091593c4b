"""The real Claude Code: installed from its pinned lock file, run without a terminal."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from tests.e2e.namespace import Namespace
from tests.npm import InstallFailed, install_packages

_HERE: Final = Path(__file__).parent
_RUN_SECONDS: Final = 60.0
# The client asks about a key once and keeps the answer under the key's last 20 characters.
_API_KEY: Final = "stand-in-0123456789abcdefghij"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What the client said when it ended: its own account of the session."""

    is_error: bool
    session_id: str
    total_cost_usd: Decimal
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client with a home of its own, at work in one folder of one namespace."""

    program: Path
    namespace: Namespace
    home: Path
    work: Path
    settings: Mapping[str, str]

    def ask(self, prompt: str, *, model: str, options: Sequence[str] = ()) -> Result:
        """Give the client one prompt and wait until it has ended, its last export included."""
        finished = self.namespace.run(
            [
                self.program,
                "--print",
                prompt,
                "--output-format=json",
                "--permission-mode=acceptEdits",
                "--allowedTools=Bash(git add:*),Bash(git commit:*)",
                f"--model={model}",
                *options,
            ],
            environment={
                "PATH": os.environ["PATH"],
                "LANG": "C.UTF-8",
                "HOME": str(self.home),
                **_make_quiet(),
                **self.settings,
            },
            folder=self.work,
            timeout_seconds=_RUN_SECONDS,
        )
        try:
            answer = json.loads(finished.output, parse_float=Decimal)
        except ValueError:
            raise AssertionError(f"{finished.output}\n{finished.errors}") from None
        return Result(
            is_error=answer["is_error"],
            session_id=answer["session_id"],
            total_cost_usd=Decimal(answer["total_cost_usd"]),
            text=answer["result"],
        )


def install_client() -> Path:
    """Return the client's program.

    Raises:
        InstallFailed: npm could not bring the client, or has none for this machine.
    """
    return _find_program(install_packages(_HERE))


def prepare_home(home: Path) -> None:
    """Write the little that keeps a new client from asking its first questions."""
    home.mkdir()
    (home / ".claude.json").write_text(
        json.dumps(
            {
                "hasCompletedOnboarding": True,
                "customApiKeyResponses": {"approved": [_API_KEY[-20:]], "rejected": []},
            }
        ),
        encoding="utf-8",
    )
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.com\n[init]\n\tdefaultBranch = main\n",
        encoding="utf-8",
    )


def prepare_repository(work: Path, home: Path) -> None:
    """Make an empty git repository for the client to work in."""
    work.mkdir()
    subprocess.run(
        ["git", "init", "--quiet"],
        cwd=work,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        check=True,
        timeout=30,
    )


def _make_quiet() -> dict[str, str]:
    # Nothing but the conversation and its telemetry leaves the client. Ten retries, as it would
    # by itself, take minutes.
    return {
        "ANTHROPIC_API_KEY": _API_KEY,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "1",
        "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1",
    }


def _find_program(installed: Path) -> Path:
    # npm leaves the platform packages of other machines out.
    programs = sorted(installed.glob("node_modules/@anthropic-ai/claude-code-*/claude"))
    if not programs:
        raise InstallFailed("npm has no client for this machine")
    return programs[0]
