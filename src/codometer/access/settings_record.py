"""What a server was started with, on the record: nobody loosens a setting unseen.

Settings are read from a file and the environment, where nobody signs in. So a start is
compared with the one before, and each setting that has another value gets an entry.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from codometer.access.actions import Action
from codometer.access.actor import SYSTEM
from codometer.settings import list_settings
from codometer.store.control_tables import SETTING

if TYPE_CHECKING:
    from codometer.access.audit import AuditLog, Change
    from codometer.access.chain import Json
    from codometer.settings import Settings


def record_settings(audit: AuditLog, settings: Settings) -> None:
    """Write an entry for each setting that differs from what this server last started with.

    The first start is compared with that of another server of the installation, such as this one
    where its folder was before, and the very first with the defaults.
    """
    server = str(settings.data.resolve())
    # The folder itself is what the server goes by.
    known_settings = [each for each in list_settings(settings) if each.key != "data"]
    given = {each.key: _as_json(each.value_in(settings)) for each in known_settings}
    defaults = {each.key: _as_json(each.default) for each in known_settings}
    with audit.change(SYSTEM) as change:
        known = _read(change)
        others = [known[other] for other in sorted(known) if other != server]
        last = known.get(server) or (others[-1] if others else {})
        for key in sorted({*given, *last}):
            before = last.get(key, defaults.get(key))
            if before != given.get(key):
                _record(change, key, before, given.get(key))
        if given != known.get(server):
            change.connection.execute(delete(SETTING).where(SETTING.c.server == server))
            rows = [
                {"server": server, "key": key, "value": json.dumps(value)}
                for key, value in given.items()
            ]
            change.connection.execute(insert(SETTING), rows)


def _read(change: Change) -> dict[str, dict[str, Json]]:
    """Return what each server last started with."""
    found: dict[str, dict[str, Json]] = {}
    for row in change.connection.execute(select(SETTING)):
        found.setdefault(row.server, {})[row.key] = json.loads(row.value)
    return found


def _record(change: Change, key: str, before: Json, after: Json) -> None:
    """Write one entry; a setting that is not there, as of a provider, has no value."""
    change.record(
        Action.SETTING_CHANGE,
        object=key,
        before={} if before is None else {"value": before},
        after={} if after is None else {"value": after},
    )


def _as_json(value: str | int | tuple[str, ...]) -> Json:
    return [*value] if isinstance(value, tuple) else value
