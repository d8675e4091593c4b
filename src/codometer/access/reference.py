"""The page `docs/reference/access.md`, made from the code: `make docs` writes it."""

from __future__ import annotations

import sys
from typing import Final

from codometer.access.actions import ACTIONS
from codometer.access.credential import USUAL_LIFETIMES
from codometer.access.permissions import PERMISSIONS, SCOPES, USUAL_SCOPES
from codometer.access.secret import PREFIXES, Kind

_HEAD: Final = """\
<!-- Generated from the code by `make docs`. Do not edit. -->

# Permissions, credentials and the audit log

How to use credentials is in the [guide](../guides/credentials.md).
"""
_AUDIT: Final = """\
## Audit log

Every change of the control plane writes an entry in its own transaction.
An entry has a number, an instant, who acted (`actor_kind`, and an id as `actor`), the network it
came from without the host, the request, the action, its object, the outcome, a reason, and what
was `before` and `after`.
No entry holds a secret, a name or an e-mail address.

    h_0 = SHA-256("codometer-audit-v1" ‖ installation's id)
    h_n = SHA-256(canonical JSON of entry n ‖ h_(n-1))

Canonical JSON is RFC 8785: keys in order, no spaces, UTF-8; there are no fractions in it.
It holds every field but `hash`, with `before` and `after` as the texts they are stored as, and
`prev`, which is h_(n-1) in hexadecimal.

After each change an anchor goes to a file outside the database (`audit.anchors_file`): the last
entry's number, its hash, and HMAC-SHA-256 of `number:hash` under the key in `audit.key_file`.

| `codometer audit verify` finds | By |
| --- | --- |
| an entry that was edited, moved or put in | its hash, or the next one's |
| an entry that was taken out, also the first | the numbers |
| an end that was cut off | the head, and the anchors |
| a log written anew from some entry on | the anchors |
| a beginning that was let go by anybody but the server | the seal, which an entry must tell of |
| anchors that are gone, or made without the key | their codes |

It cannot find what somebody did who has the database, the anchors and the key: keep the anchors
on another disk, or send them to another machine as they are written.
Nor can it tell an entry that was properly chained behind the last anchor from one of another
server, or of a crash; it counts these.

Entries older than `retention.audit_days` are let go once a day.
The last of them leaves its number and hash as a seal, and an entry says so.

| Action | What was done |
| --- | --- |
"""


def write_page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_permissions(), "", *_kinds(), "", _AUDIT + "\n".join(_actions())])


def _permissions() -> list[str]:
    rows = [f"| `{permission}` | {text} |" for permission, text in PERMISSIONS.items()]
    return ["## Permissions", "", "| Permission | Allows |", "| --- | --- |", *rows]


def _kinds() -> list[str]:
    rows = [
        f"| {kind} | `{PREFIXES[kind]}…` | {USUAL_LIFETIMES[kind].days} days"
        f" | {_names(USUAL_SCOPES[kind])} | {_names(SCOPES[kind] - USUAL_SCOPES[kind]) or '–'} |"
        for kind in Kind
    ]
    return [
        "## Kinds of credentials",
        "",
        "| Kind | Looks like | Lives | May | And, where asked for |",
        "| --- | --- | --- | --- | --- |",
        *rows,
    ]


def _actions() -> list[str]:
    return [*(f"| `{action}` | {text} |" for action, text in ACTIONS.items()), ""]


def _names(permissions: frozenset[str]) -> str:
    return ", ".join(f"`{permission}`" for permission in sorted(permissions))


if __name__ == "__main__":
    sys.stdout.write(write_page())
