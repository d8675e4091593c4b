"""Where the value of every setting comes from.

This module alone reads configuration files and the environment. A value comes
from the first of these that gives one: a flag, the environment, the file, the
default. The variable of a setting is its key in capitals with underscores
after `CODOMETER_`: `listen.port` is `CODOMETER_LISTEN_PORT`, `data` is
`CODOMETER_DATA`; lists are separated by commas, and an empty variable counts
as not set.
"""

from __future__ import annotations

import dataclasses
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple

from codometer.errors import BadSettings
from codometer.settings import (
    SETTINGS,
    VARIABLE_PREFIX,
    Oidc,
    Settings,
    base_url,
    find_setting,
    find_variable,
)

FILE_NAME: Final = "codometer.toml"
FLAGS: Final = {
    "listen.host": "--host",
    "listen.port": "--port",
    "listen.otlp_port": "--otlp-port",
    "listen.grpc_port": "--grpc-port",
    "data": "--data",
}
"""The settings that `codometer serve` also takes as flags."""

_OTHER_VARIABLES: Final = (
    "CODOMETER_CA_FILE",
    "CODOMETER_CONFIG",
    "CODOMETER_CREDENTIAL",
    "CODOMETER_KEY",
    "CODOMETER_KEY_PREVIOUS",
    "CODOMETER_URL",
)
_CLIENT_SECRET: Final = re.compile(rf"{VARIABLE_PREFIX}OIDC_[A-Z0-9]+_CLIENT_SECRET")
_TEST_PREFIX: Final = "CODOMETER_TEST_"  # what our tests tell each other
# A cluster that runs us as a service named codometer sets CODOMETER_PORT=tcp://… and the like.
# https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables (2026-11)
_SERVICE_LINK: Final = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_\w+)")


def load_settings(
    *,
    config: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Read the settings. `flags` go by key; those that are None were not given.

    Without `config` (or CODOMETER_CONFIG) `codometer.toml` in `folder`, the working
    directory, is read if it is there.

    Raises:
        BadSettings: the message lists every mistake.
    """
    environ = os.environ if environ is None else environ
    reading = _Reading()
    path, named = _find_file(config, environ, folder or Path())
    reading.take_file(path, must_exist=named)
    reading.take_environment(environ)
    for key, value in (flags or {}).items():
        if value is not None:
            reading.take(key, value, FLAGS.get(key, key))
    return reading.finish()


class ServerAddress(NamedTuple):
    """A server to ask, and where its address came from.

    `certificate` is the file of its own one, where it is a server of these settings here.
    """

    url: str
    origin: str
    certificate: str = ""


def find_server(
    *, environ: Mapping[str, str] | None = None, folder: Path | None = None
) -> ServerAddress:
    """Return the server to ask: CODOMETER_URL, else the one that the settings here would start."""
    environ = os.environ if environ is None else environ
    if url := environ.get("CODOMETER_URL"):
        return ServerAddress(url, "CODOMETER_URL")
    settings = load_settings(environ=environ, folder=folder)
    listen = settings.listen
    return ServerAddress(base_url(listen), settings.origins["listen.port"], listen.tls_certificate)


def find_ca_file(environ: Mapping[str, str] | None = None) -> str:
    """Return the file of certificates that commands trust too: CODOMETER_CA_FILE, "" for none."""
    return (os.environ if environ is None else environ).get("CODOMETER_CA_FILE", "")


def find_credential(environ: Mapping[str, str] | None = None) -> str | None:
    """Return the credential that commands send: CODOMETER_CREDENTIAL, else none."""
    return (os.environ if environ is None else environ).get("CODOMETER_CREDENTIAL") or None


def find_main_keys(environ: Mapping[str, str] | None = None) -> tuple[str, str]:
    """Return the main key and the one before it, as the environment has them; "" where not."""
    environ = os.environ if environ is None else environ
    return environ.get("CODOMETER_KEY", ""), environ.get("CODOMETER_KEY_PREVIOUS", "")


def find_client_secret(name: str, settings: Oidc, environ: Mapping[str, str] | None = None) -> str:
    """Return what this server proves itself with to the provider of that name, "" for nothing.

    Raises:
        BadSettings: the file that it is in cannot be read.
    """
    environ = os.environ if environ is None else environ
    if given := environ.get(f"{VARIABLE_PREFIX}OIDC_{name.upper()}_CLIENT_SECRET"):
        return given
    if not settings.client_secret_file:
        return ""
    try:
        return Path(settings.client_secret_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        mistake = f"oidc.{name}.client_secret_file cannot be read: {reason}"
        raise _bad_settings([mistake]) from error


class _Reading:
    """Collects values and mistakes from one source after another; later ones win."""

    def __init__(self) -> None:
        self._values: dict[str, object] = {}
        self._origins = dict.fromkeys(SETTINGS, "default")
        self._mistakes: list[str] = []

    def take_file(self, path: Path, *, must_exist: bool) -> None:
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if must_exist:
                self._mistakes.append(f"{path} does not exist")
            return
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self._mistakes.append(f"{path} cannot be read: {error}")
            return
        for key, value in _flatten(content):
            if key == "data" and isinstance(value, str):
                self.take(key, path.parent / Path(value).expanduser(), str(path))
            else:
                self.take(key, value, str(path))

    def take_environment(self, environ: Mapping[str, str]) -> None:
        known = {setting.variable: key for key, setting in SETTINGS.items()}
        for name in sorted(environ):
            if not name.startswith(VARIABLE_PREFIX) or not environ[name]:
                continue
            if (setting := find_variable(name)) is not None:
                self.take(setting.key, environ[name], name)
            elif not _is_for_others(name, environ[name]):
                self._mistakes.append(_unknown(f"the variable {name}", name, known))

    def take(self, key: str, value: object, origin: str) -> None:
        if (setting := find_setting(key)) is None:
            self._mistakes.append(_unknown(f"{key} in {origin}", key, SETTINGS))
            return
        converted, expected = _convert(value, setting.default)
        if not expected and setting.check:
            expected = setting.check(converted)
        if expected:
            self._mistakes.append(f"{key} ({origin}) is {_shown(value)}, {expected}")
            return
        self._values[key] = converted
        self._origins[key] = origin

    def finish(self) -> Settings:
        settings = Settings(**self._section(Settings, ""), origins=self._origins)
        self._mistakes += _find_contradictions(settings)
        self._mistakes += _oidc_mistakes(settings)
        if self._mistakes:
            raise _bad_settings(self._mistakes)
        return settings

    def _section(self, section: type, prefix: str) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        for entry in dataclasses.fields(section):
            key = prefix + entry.name
            if key in self._values:
                arguments[entry.name] = self._values[key]
            elif each := entry.metadata.get("each"):
                names = sorted({k.split(".")[1] for k in self._values if k.startswith(f"{key}.")})
                arguments[entry.name] = {
                    name: each(**self._section(each, f"{key}.{name}.")) for name in names
                }
            elif isinstance(entry.default_factory, type) and entry.name != "origins":
                inner = entry.default_factory
                arguments[entry.name] = inner(**self._section(inner, f"{key}."))
        return arguments


def _find_contradictions(settings: Settings) -> Iterator[str]:
    """Say which settings do not go together."""
    listen, ingest = settings.listen, settings.ingest
    ports = [listen.port, listen.otlp_port, listen.grpc_port]
    if any(port and ports.count(port) > 1 for port in ports):
        yield f"listen: the three ports {ports} must differ"
    if bool(listen.tls_certificate) != bool(listen.tls_key):
        yield "listen: tls_certificate and tls_key go together"
    if ingest.client_ca and not listen.tls_certificate:
        yield "ingest.client_ca needs listen.tls_certificate: without TLS nobody shows one"


def _oidc_mistakes(settings: Settings) -> Iterator[str]:
    """Return what is wrong with sign-in as a whole."""
    for name, provider in settings.oidc.items():
        for key in ("issuer", "client_id"):
            if not getattr(provider, key):
                yield f"oidc.{name}.{key} is missing"
        if provider.joining == "role" and not provider.roles:
            yield f"oidc.{name}.joining is role, and oidc.{name}.roles gives none"
    issuers = [provider.issuer for provider in settings.oidc.values()]
    if len(set(issuers)) < len(issuers):
        yield "oidc has two sections with the same issuer"
    if settings.sign_in.passwords == "off" and not settings.oidc:
        yield "sign_in.passwords is off, and oidc names no provider to sign in with"


def _find_file(config: Path | None, environ: Mapping[str, str], folder: Path) -> tuple[Path, bool]:
    """Return the configuration file and whether it was asked for."""
    if config is not None:
        return config, True
    if named := environ.get("CODOMETER_CONFIG"):
        return Path(named).expanduser(), True
    return folder / FILE_NAME, False


def _is_for_others(name: str, value: str) -> bool:
    """Say whether a variable that sets nothing is there for another reason."""
    if name in _OTHER_VARIABLES or name.startswith(_TEST_PREFIX) or _CLIENT_SECRET.fullmatch(name):
        return True
    return "://" in value or _SERVICE_LINK.fullmatch(name) is not None


def _flatten(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _convert(value: object, default: object) -> tuple[object, str]:
    """Return the value as the type of the default, or what was expected instead."""
    match default, value:
        case Path(), str() | Path():
            return Path(value).expanduser(), ""
        case Path(), _:
            return None, "expected a folder"
        case tuple(), str():
            return tuple(part.strip() for part in value.split(",") if part.strip()), ""
        case tuple(), list() if all(isinstance(part, str) and part for part in value):
            return tuple(value), ""
        case tuple(), _:
            return None, "expected a list of texts"
        case int(), str() if re.fullmatch(r"-?\d+", value):
            return int(value), ""
        case int(), int() if not isinstance(value, bool):
            return value, ""
        case int(), _:
            return None, "expected a whole number"
        case str(), str():
            return value, ""
    return None, "expected a text"


def _shown(value: object) -> str:
    return value if isinstance(value, str) and value else repr(value)


def _unknown(what: str, given: str, known: Mapping[str, object]) -> str:
    """Say that a key is unknown and which one may have been meant."""
    near = get_close_matches(given, known, n=1, cutoff=0.6)
    last = given.rpartition(".")[2]
    near = near or [key for key in known if key.rpartition(".")[2] == last]
    return f"{what} is not known" + (f"; did you mean {near[0]}?" if near else "")


def _bad_settings(mistakes: list[str]) -> BadSettings:
    head = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    lines = "".join(f"\n  {mistake}" for mistake in mistakes)
    return BadSettings(f"the configuration has {head}:{lines}", hint="correct them and start again")
