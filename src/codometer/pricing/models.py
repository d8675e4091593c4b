"""One name for every spelling of a model's id.

The same model arrives as `claude-opus-4-8` on an event, `claude-opus-4-8[1m]`
on a metric, `us.anthropic.claude-opus-4-8-v1:0` from Bedrock and
`claude-opus-4-8@20260528` from Vertex. Prices, measures and filters need one
name; what else the id tells (who serves it, from where, how fast) is kept
beside it, because it changes the price.
"""

from __future__ import annotations

import re
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

_MAX_PARSED_LENGTH: Final = 200
"""No model's id is longer. Parsing takes longer than linear time, so what is gets none."""

_LONG_CONTEXT: Final = "[1m]"

# Geographic prefixes are any short word (us, eu, apac, us-gov, and those still to come); the
# name of the model tells where they end. The id in the ARN of an application inference profile
# is opaque: it matches nothing here, and is priced only if somebody maps it to a model.
_CLAUDE_ID: Final = re.compile(
    r"""
    (?: anthropic/
      | (?P<bedrock_path> bedrock/ | arn:aws[a-z-]*:bedrock:[^/]*:
                          (?: inference-profile | foundation-model )/ )
      | (?P<vertex_path> vertex_ai/ )
    )*
    (?: (?P<geography> [a-z]{2,6}(?:-gov)? ) \. )?
    (?P<bedrock_vendor> anthropic\. )?
    (?P<name> claude [^/]* )
    """,
    re.VERBOSE,
)
_SUFFIXES: Final = re.compile(
    r"(?: \[1m\] | -fast | -latest | -v[0-9]+(?::\w+)* | @\w* | -[0-9]{8} | \s )+ \Z",
    re.VERBOSE,
)
_DOT_BETWEEN_DIGITS: Final = re.compile(r"(?<=[0-9])\.(?=[0-9])")

_ALIASES: Final = MappingProxyType(
    {
        "claude-haiku-3-5": "claude-3-5-haiku",
        "claude-opus-4-0": "claude-opus-4",
        "claude-sonnet-4-0": "claude-sonnet-4",
    }
)


class ModelId(NamedTuple):
    """What the id of a model says.

    `name` is canonical, such as `claude-sonnet-4-5`. `provider_hint` is
    `bedrock` or `vertex` where the spelling gives it away, `endpoint_scope`
    `global` or `regional` where a prefix does; None is unknown. `fast` tells
    that the id asks for the fast mode.
    """

    name: str
    provider_hint: str | None
    endpoint_scope: str | None
    fast: bool


@lru_cache(maxsize=4096)
def normalise_model(raw: str) -> ModelId:
    """Read a model's id as a client sent it.

    Never fails: an id that is not Claude's keeps its own name in lower case,
    and so do opaque ARNs. A canonical name stays what it is.
    """
    text = raw.strip().lower()
    if len(text) > _MAX_PARSED_LENGTH:
        return ModelId(text, None, None, fast=False)
    text = _without_long_context(text)
    match = _CLAUDE_ID.fullmatch(text)
    if match is None:
        return ModelId(text, "bedrock" if ":bedrock:" in text else None, None, fast=False)
    name = _DOT_BETWEEN_DIGITS.sub("-", match["name"])
    suffixes = _SUFFIXES.search(name)
    ending = suffixes[0] if suffixes else ""
    name = name.removesuffix(ending)
    return ModelId(
        _ALIASES.get(name, name),
        _provider_hint(match, ending),
        _endpoint_scope(match["geography"]),
        "-fast" in ending,
    )


def _without_long_context(text: str) -> str:
    while text.endswith(_LONG_CONTEXT):
        text = text.removesuffix(_LONG_CONTEXT).rstrip()
    return text


def _provider_hint(match: re.Match[str], ending: str) -> str | None:
    if match["bedrock_path"] or match["bedrock_vendor"] or match["geography"]:
        return "bedrock"
    return "vertex" if match["vertex_path"] or "@" in ending else None


def _endpoint_scope(geography: str | None) -> str | None:
    if geography is None:
        return None
    return "global" if geography == "global" else "regional"
