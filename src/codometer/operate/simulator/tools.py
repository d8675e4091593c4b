"""What models use: tools, the servers and skills behind them, and how those fare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

EDIT: Final = "Edit"
AGENT: Final = "Agent"
SHELL: Final = "Bash"
MCP: Final = "mcp_tool"
"""The name that clients send for any tool of an MCP server."""

EDITS: Final = frozenset({EDIT, "Write", "NotebookEdit"})
"""Tools of which each use is counted as a decision on an edit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool: `share` is how often it is used beside others."""

    name: str
    share: int
    median_ms: float
    spread: float
    failures: float
    """The share of uses that fail."""
    is_asked: float = 0
    """The share of uses for which a person is asked."""


TOOLS: Final = (
    Tool(name="Read", share=300, median_ms=28, spread=0.7, failures=0.025),
    Tool(name=SHELL, share=240, median_ms=1900, spread=1.4, failures=0.11, is_asked=0.3),
    Tool(name=EDIT, share=180, median_ms=55, spread=0.6, failures=0.03, is_asked=0.35),
    Tool(name="Grep", share=120, median_ms=95, spread=0.9, failures=0.01),
    Tool(name="TodoWrite", share=60, median_ms=6, spread=0.3, failures=0.001),
    Tool(name="Write", share=55, median_ms=48, spread=0.6, failures=0.012, is_asked=0.4),
    Tool(name="Glob", share=45, median_ms=60, spread=0.8, failures=0.006),
    Tool(name=MCP, share=40, median_ms=780, spread=1.0, failures=0.065, is_asked=0.2),
    Tool(name=AGENT, share=22, median_ms=40_000, spread=0.8, failures=0.02),
    Tool(name="WebFetch", share=14, median_ms=2600, spread=0.8, failures=0.09, is_asked=0.25),
    Tool(name="WebSearch", share=8, median_ms=3400, spread=0.6, failures=0.03, is_asked=0.2),
    Tool(name="NotebookEdit", share=4, median_ms=70, spread=0.6, failures=0.03, is_asked=0.4),
)
SHARES: Final = tuple(tool.share for tool in TOOLS)

MCP_SERVERS: Final = {"github": 45, "jira": 20, "sentry": 14, "postgres": 13, "figma": 8}
SKILLS: Final = {"code-review": 40, "write-tests": 30, "release-notes": 16, "frontend-design": 14}
SUBAGENTS: Final = {"Explore": 45, "general-purpose": 35, "code-reviewer": 12, "Plan": 8}
LANGUAGES: Final = {
    "TypeScript": 30,
    "Python": 28,
    "Go": 14,
    "Markdown": 10,
    "Java": 7,
    "Swift": 4,
    "SQL": 3,
    "unknown": 4,
}

REFUSALS: Final = {"user_reject": 85, "user_abort": 15}
CONSENTS: Final = {"user_temporary": 75, "user_permanent": 25}
AUTOMATIC: Final = {"config": 92, "hook": 8}
"""Who decides on a use of a tool, by how often."""

ERRORS: Final = {(529, "Overloaded"): 60, (429, "Rate limited"): 30, (500, "Internal error"): 10}
"""Statuses of calls to a model that failed for good, by how often."""
