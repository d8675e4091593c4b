"""What the stand-in for the Messages API says, and what a client that follows it brings about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MODEL: Final = "claude-sonnet-5-5"
RESUMED_MODEL: Final = "claude-haiku-4-5"
# Every request to this model fails, so a client that asks for it gives up.
MODEL_THAT_IS_DOWN: Final = "claude-opus-5-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the model answers once: a text, then perhaps one use of a tool.

    `{work}` in an input of the tool stands for the folder that the client works in.
    """

    text: str
    tool: str = ""
    tool_input: Mapping[str, str] = field(default_factory=dict)
    overloaded_first: bool = False


SCRIPT: Final = (
    Turn(
        text="I write the module.",
        tool="Write",
        tool_input={
            "file_path": "{work}/sums.py",
            "content": (
                "def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return add(a, a)\n"
            ),
        },
    ),
    Turn(text="I look at it.", tool="Read", tool_input={"file_path": "{work}/sums.py"}),
    Turn(
        text="I say what it adds.",
        tool="Edit",
        tool_input={
            "file_path": "{work}/sums.py",
            "old_string": "    return a + b\n",
            "new_string": "    # Whole numbers only.\n    return int(a) + int(b)\n",
        },
        overloaded_first=True,
    ),
    Turn(
        text="I commit it.",
        tool="Bash",
        tool_input={
            "command": "git add sums.py && git commit -m 'Add sums'",
            "description": "Commit the module",
        },
    ),
    Turn(text="The module is written and committed."),
    # The resumed session goes on from here.
    Turn(
        text="I add the third sum.",
        tool="Edit",
        tool_input={
            "file_path": "{work}/sums.py",
            "old_string": "    return add(a, a)\n",
            "new_string": "    return add(a, a)\n\n\ndef triple(a): return add(a, double(a))\n",
        },
    ),
    Turn(
        text="I commit that too.",
        tool="Bash",
        tool_input={
            "command": "git add sums.py && git commit -m 'Add triple'",
            "description": "Commit the change",
        },
    ),
    Turn(text="Done."),
)
# Write has six lines and ends the last: the client counts what follows as a seventh.
SCRIPTED_LINES_ADDED: Final = 7 + 2 + 3
SCRIPTED_LINES_REMOVED: Final = 1
SCRIPTED_COMMITS: Final = 2
# The overloaded turn succeeds at the second try; only the model that is down is given up.
SCRIPTED_API_ERRORS: Final = 1
