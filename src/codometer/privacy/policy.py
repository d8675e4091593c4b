"""What may be kept, as data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

CONTENT_ATTRIBUTES: Final = frozenset(
    {
        "prompt",
        "prompt_text",
        "user_prompt",
        "response",
        "response.model_output",
        "model_output",
        "tool_input",
        "tool_output",
        "tool_parameters",
        "input",
        "output",
        "content",
        "diff",
        "message",
        "text",
        "full_command",
        "bash_command",
        "command",
        "file_path",
        "error",
        "error.message",
        "exception.message",
        "exception.stacktrace",
        "body",
        "body_ref",
        "workspace.host_paths",
        "new_context",
        "system_prompt",
        "system_prompt_preview",
        "system_reminders",
        "user_system_prompt",
        "hook_definitions",
        "hook_matcher",
        "managed_settings.settings",
        "server_name",
        "category",
        "skill_name",
        "subagent_type",
        "gen_ai.input.messages",
        "gen_ai.output.messages",
        "gen_ai.system_instructions",
        "gen_ai.tool.call.arguments",
        "gen_ai.tool.call.result",
        "gen_ai.prompt",
        "gen_ai.completion",
    }
)
"""Attributes that carry what people or models wrote. Dropped wherever they are."""


class Part(StrEnum):
    """What a text of content is."""

    PROMPT = "prompt"
    RESPONSE = "response"
    TOOL = "tool"


CONTENT_PARTS: Final = {
    **dict.fromkeys(
        ("prompt", "prompt_text", "user_prompt", "gen_ai.prompt", "gen_ai.input.messages"),
        Part.PROMPT,
    ),
    **dict.fromkeys(
        (
            "response",
            "response.model_output",
            "model_output",
            "gen_ai.completion",
            "gen_ai.output.messages",
        ),
        Part.RESPONSE,
    ),
    **dict.fromkeys(
        (
            "tool_input",
            "tool_output",
            "tool_parameters",
            "input",
            "output",
            "content",
            "diff",
            "full_command",
            "bash_command",
            "command",
            "file_path",
            "gen_ai.tool.call.arguments",
            "gen_ai.tool.call.result",
        ),
        Part.TOOL,
    ),
}
"""The content that can be agreed to; all other content is dropped whoever agrees, such as system
prompts, bodies of requests, settings and error texts."""

SENT_CONTENT: Final[Mapping[str, str]] = {
    **CONTENT_PARTS,
    **dict.fromkeys(("body", "body_ref"), "body"),
}
"""What an administrator is told of clients that send it, and nothing else of it."""

PLACEHOLDERS: Final = frozenset({"<REDACTED>", "[REDACTED]"})
"""What clients send in place of content that they were told to leave out."""

MAX_CONTENT_LENGTH: Final = 2**16
"""The most characters of one text that are kept."""

MAX_CONTENT_OF_REQUEST: Final = 2**20
"""The most characters of all texts of one request that are looked at; the rest is dropped."""

PERSONAL_ATTRIBUTES: Final = frozenset(
    {
        "user.name",
        "user.full_name",
        "user.display_name",
        "user.username",
        "username",
        "enduser.name",
        "enduser.pseudo.id",
        "git.user.name",
        "git.user.email",
        "git.author.name",
        "git.author.email",
        "vcs.author.name",
        "vcs.author.email",
        "host.name",
        "host.id",
        "host.ip",
        "host.mac",
        "hostname",
        "device.id",
        "process.owner",
        "process.command",
        "process.command_line",
        "process.command_args",
        "process.executable.path",
        "process.working_directory",
        "client.address",
        "source.address",
        "net.peer.ip",
        "k8s.pod.name",
        "container.id",
    }
)
"""Attributes that name a person or the machine of one. Kept only where persons are plain."""

MAX_STRANGER_LENGTH: Final = 40
"""The longest value of an unknown attribute that is kept; longer ones may be text."""

MAX_NAME_LENGTH: Final = 100
"""The longest name of an attribute, event or metric that is kept or listed."""

MAX_STRANGERS: Final = 64
"""The most unknown attributes of one signal that are kept or listed; no client sends as many."""
