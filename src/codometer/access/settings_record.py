"""What a server was started with, on the record: nobody loosens a setting unseen.

Settings are read from a file and the environment, where nobody signs in. So a start is
compared with the one before, and each setting that has another value gets an entry.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from sqlalchemy import and_, delete, insert, select

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

    The first start is compared with the defaults.
    """
    server = str(settings.data.resolve())
    given = {
        setting.key: _as_json(setting.value_in(settings))
        for setting in list_settings(settings)
        if setting.key != "data" and setting.value_in(settings) != setting.default
    }
    with audit.change(SYSTEM) as change:
        last = _read(change, server)
        for key in sorted(key for key in {*given, *last} if given.get(key) != last.get(key)):
            _record(change, key, last.get(key), given.get(key))
            change.connection.execute(
                delete(SETTING).where(and_(SETTING.c.server == server, SETTING.c.key == key))
            )
            if key in given:
                row = {"server": server, "key": key, "value": json.dumps(given[key])}
                change.connection.execute(insert(SETTING).values(row))


def _read(change: Change, server: str) -> dict[str, Json]:
    found = select(SETTING.c.key, SETTING.c.value).where(SETTING.c.server == server)
    return {row.key: json.loads(row.value) for row in change.connection.execute(found)}


def _record(change: Change, key: str, before: Json, after: Json) -> None:
    """Write one entry; what is at its default has no value."""
    change.record(
        Action.SETTING_CHANGE,
        object=key,
        before={} if before is None else {"value": before},
        after={} if after is None else {"value": after},
    )


def _as_json(value: str | int | tuple[str, ...]) -> Json:
    return [*value] if isinstance(value, tuple) else value
