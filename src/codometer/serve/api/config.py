"""`/api/v1/config`: every setting that is in force, and where its value came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from codometer.access.permissions import Permission
from codometer.privacy.profile import Profile
from codometer.serve.api.resource import Resource
from codometer.serve.api.schema import array_schema, object_schema
from codometer.settings import Settings, list_settings

_TEXT: Final = {"type": "string"}
_VALUE: Final = {
    "anyOf": [_TEXT, {"type": "integer"}, {"type": "array", "items": {"type": "string"}}]
}
_SCHEMA: Final = object_schema(
    privacy={"enum": [*Profile], "description": "the profile in force"},
    settings=array_schema(
        object_schema(
            key=_TEXT, value=_VALUE, origin=_TEXT, default=_VALUE, variable=_TEXT, text=_TEXT
        )
    ),
)


def config_resource(settings: Settings, find_profile: Callable[[], Profile]) -> Resource:
    """Return the resource that tells the settings, and the privacy profile beside them."""
    document = config_document(settings)
    return Resource(
        path="/api/v1/config",
        name="config",
        summary="Every setting that is in force, and where its value came from",
        permission=Permission.READ_SETTINGS,
        answer=lambda _: {**document, "privacy": find_profile()},
        blocks=False,
        schema=_SCHEMA,
        example={
            "settings": config_document(Settings())["settings"][:2],
            "privacy": Profile.STANDARD,
        },
    )


def config_document(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """Return the settings as the API tells them. `origin` names a flag, variable or file."""
    return {
        "settings": [
            {
                "key": setting.key,
                "value": setting.value_in(settings),
                "origin": settings.origins.get(setting.key, "default"),
                "default": setting.default,
                "variable": setting.variable,
                "text": setting.text,
            }
            for setting in list_settings(settings)
        ]
    }
