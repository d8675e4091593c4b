"""Every setting: its key, its default, what it does, and what it may be.

A part of the server receives its own section, never the whole. `configuration`
reads the values.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from codometer import checks
from codometer.networks import is_loopback

T = TypeVar("T")

OPERATOR_KEY_NAME: Final = "operator.key"
"""In the data folder of a running server: what commands of its own user prove themselves with."""
VARIABLE_PREFIX: Final = "CODOMETER_"
"""What every environment variable of ours begins with."""
_EVERY_ADDRESS: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here
"""What stands for all addresses of this machine, and how it reaches itself there."""
ANY_NAME: Final = "*"
"""Stands for the name of a section in the key of a setting."""
_NAME: Final = re.compile(r"[a-z0-9]+")


def _setting(default: T, text: str, *, check: Callable[[Any], str] | None = None) -> T:
    """Declare a field: `check` returns what was expected, or nothing for a good value."""
    return field(default=default, metadata={"text": text, "check": check})


@dataclass(frozen=True, slots=True, kw_only=True)
class Listen:
    """Where the server answers. Port 0 takes any free port."""

    host: str = _setting("127.0.0.1", "the address of every port", check=checks.host)
    port: int = _setting(4319, "pages and API", check=checks.port)
    otlp_port: int = _setting(4318, "OTLP over HTTP", check=checks.port)
    grpc_port: int = _setting(4317, "OTLP over gRPC", check=checks.port)
    url: str = _setting(
        "", "where people open the pages, by the name in the certificate", check=checks.url
    )
    otlp_url: str = _setting(
        "", "where clients send OTLP over HTTP, if a proxy leads there", check=checks.url
    )
    tls_certificate: str = _setting("", "a certificate in PEM, with its chain, for every port")
    tls_key: str = _setting("", "its key in PEM, without a password")
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        "networks of proxies that are believed in X-Forwarded-For",
        check=checks.networks,
    )

    @property
    def is_public(self) -> bool:
        """Whether other machines reach us, by themselves or through a proxy."""
        names = [urlsplit(each).hostname or "" for each in (self.url, self.otlp_url) if each]
        return bool(self.trusted_proxies) or not all(map(is_loopback, [self.host, *names]))

    @property
    def is_secure(self) -> bool:
        """Whether browsers come with TLS, to us or to a proxy."""
        return bool(self.url or self.tls_certificate)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organisation:
    """Whose numbers these are."""

    time_zone: str = _setting("UTC", "the zone in which days are cut", check=checks.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingest:
    """Limits that keep one client from taking the server away from the others."""

    max_body_bytes: int = _setting(
        64 * 2**20, "the largest export, also after decompression", check=checks.positive
    )
    max_in_flight_bytes: int = _setting(
        256 * 2**20,
        "all exports in work at one time; more are asked to wait",
        check=checks.positive,
    )
    max_connections: int = _setting(4096, "open connections a port", check=checks.positive)
    header_timeout_seconds: int = _setting(10, "for a request's headers", check=checks.positive)
    body_timeout_seconds: int = _setting(30, "for a request's body", check=checks.positive)
    keep_alive_seconds: int = _setting(75, "an HTTP connection may rest", check=checks.positive)
    idle_timeout_seconds: int = _setting(120, "a gRPC connection may rest", check=checks.positive)
    credentials: str = _setting(
        "optional",
        "whether clients must send one: optional or required; beyond loopback always required",
        check=checks.one_of("optional", "required"),
    )
    client_ca: str = _setting(
        "", "certificates in PEM: clients that send must have one signed by these"
    )
    client_certificates: str = _setting(
        "required",
        "with ingest.client_ca: required, or optional (HTTP checks what is shown)",
        check=checks.one_of("optional", "required"),
    )
    max_requests_per_second: int = _setting(
        1000, "of one credential, and twice that at once; more have to wait", check=checks.positive
    )
    commit_interval_ms: int = _setting(
        25,
        "how long a commit gathers exports before it is written",
        check=checks.between(0, 10_000),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """What the embedded engine may take of this machine."""

    memory_limit: str = _setting("512MB", "memory of the engine", check=checks.memory)
    threads: int = _setting(
        1, "threads of the engine for one question or commit", check=checks.positive
    )
    """With two, a refresh of the sums takes both cores of a small machine from the commits, and a
    commit itself costs a fifth more; several questions at once use several cores either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Control:
    """Where credentials and the audit log are kept."""

    database: str = _setting(
        "", "a PostgreSQL database; empty: a file in the data folder", check=checks.database
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What proves that the audit log is whole. Best on another disk than the log."""

    anchors_file: str = _setting("", "marks of the log; empty: a file in the data folder")
    key_file: str = _setting("", "the key that makes them; empty: a file in the data folder")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Where the main key is, with which all other keys are locked. CODOMETER_KEY gives it too."""

    file: str = _setting("", "a file that only its owner can read; empty: one in the data folder")
    command: str = _setting("", "a command that prints it, as a key store has one")


@dataclass(frozen=True, slots=True, kw_only=True)
class Privacy:
    """What may be told of people, once there is an administrator."""

    minimum_people: int = _setting(
        1,
        "the fewest that a number covers, where that is more than the profile's",
        check=checks.between(1, 100),
    )
    services: tuple[str, ...] = _setting(
        (
            "*[bot]@users.noreply.github.com",
            "bot@*",
            "*-bot@*",
            "ci@*",
            "ci-*",
            "svc-*",
            "jenkins@*",
        ),
        "what is no person: addresses and accounts, with * for any text",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long what is kept. A privacy profile may ask for less."""

    detail_days: int = _setting(90, "days of single events; sums stay", check=checks.positive)
    content_days: int = _setting(
        7, "days of content, where it was agreed to keep any", check=checks.between(1, 30)
    )
    session_days: int = _setting(
        90, "days until nobody knows whose a session was", check=checks.between(1, 90)
    )
    person_days: int = _setting(
        400,
        "days until nobody knows what somebody used on a day, the month that runs excepted",
        check=checks.between(1, 400),
    )
    sum_days: int = _setting(
        1127, "days of the sums of teams and of all", check=checks.between(400, 2557)
    )
    audit_days: int = _setting(400, "days of the audit log", check=checks.between(400))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimensions:
    """Resource attributes that may become dimensions. The first key that has a value counts."""

    resource_attributes: tuple[str, ...] = _setting(
        ("department", "service.namespace", "deployment.environment.name"),
        "attributes that can be asked for as resource.<key>",
    )
    team_attributes: tuple[str, ...] = _setting(
        ("team.id", "team"), "attributes that name the team"
    )
    cost_center_attributes: tuple[str, ...] = _setting(
        ("cost_center", "cost.center"), "attributes that name the cost centre"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """What this server may send to: providers of sign-in, channels, sources of bills.

    Addresses of the Internet always, at these ports and with TLS; others only as listed here.
    """

    allow: tuple[str, ...] = _setting(
        (), "networks and hosts inside that may be reached, without the proxy", check=checks.hosts
    )
    plain: tuple[str, ...] = _setting(
        (), "hosts that may be spoken to by http, without TLS", check=checks.hosts
    )
    ports: tuple[str, ...] = _setting(
        ("443", "8443"), "ports that may be reached, and 80 for http", check=checks.ports
    )
    ca_file: str = _setting("", "certificates (PEM) to trust beside those of the system")
    proxy: str = _setting("", "an HTTP proxy that leads to the Internet", check=checks.proxy)
    proxy_password_file: str = _setting("", "a file with user:password for the proxy")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """How people sign in."""

    passwords: str = _setting(
        "on",
        "whether with a password too, on or off; links of `codometer account reset` always do",
        check=checks.one_of("on", "off"),
    )
    second_factor: str = _setting(
        "offered",
        "whom a password alone does not sign in: everyone, administrators, or (offered) whoever"
        " set a second factor up; those who must and have none are led to set it up",
        check=checks.one_of("offered", "administrators", "everyone"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Oidc:
    """A provider of identities that speaks OpenID Connect; `oidc` has one section for each.

    Its client secret is in a file, or in the variable CODOMETER_OIDC_<NAME>_CLIENT_SECRET.
    """

    label: str = _setting("", "what the button says; empty: the name of the section")
    issuer: str = _setting(
        "", "the provider's address, exactly as it calls itself", check=checks.issuer
    )
    client_id: str = _setting("", "what the provider calls this server")
    client_secret_file: str = _setting("", "a file with the client secret")
    scopes: tuple[str, ...] = _setting(("email", "profile"), "what to ask for, beside openid")
    groups_claim: str = _setting("groups", "the claim that lists somebody's groups")
    roles: tuple[str, ...] = _setting(
        (),
        "group=role, the first that fits counts; empty: roles are given here",
        check=checks.pairs,
    )
    teams: tuple[str, ...] = _setting(
        (), "group=team, where * is all teams; empty: teams are given here", check=checks.pairs
    )
    joining: str = _setting(
        "link",
        "who makes an account: link, who was sent one, or role, who is in a group that has one",
        check=checks.one_of("link", "role"),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What is in force. `origins` says for every key where its value came from."""

    data: Path = field(
        default=Path("codometer-data"),
        metadata={"text": "the folder of everything that is kept", "check": None},
    )
    listen: Listen = field(default_factory=Listen)
    organisation: Organisation = field(default_factory=Organisation)
    ingest: Ingest = field(default_factory=Ingest)
    store: Store = field(default_factory=Store)
    control: Control = field(default_factory=Control)
    audit: Audit = field(default_factory=Audit)
    keys: Keys = field(default_factory=Keys)
    privacy: Privacy = field(default_factory=Privacy)
    retention: Retention = field(default_factory=Retention)
    dimensions: Dimensions = field(default_factory=Dimensions)
    outgoing: Outgoing = field(default_factory=Outgoing)
    sign_in: SignIn = field(default_factory=SignIn)
    oidc: Mapping[str, Oidc] = field(default_factory=dict, metadata={"each": Oidc})
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One entry of the catalogue of settings.

    In the key of a section that has names, * stands for the name; `named` fills it in.
    """

    key: str
    default: Any
    text: str
    check: Callable[[Any], str] | None = field(repr=False)

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return VARIABLE_PREFIX + self.key.upper().replace(".", "_")

    def named(self, name: str) -> Setting:
        """Return the setting as it is in the section of that name."""
        return dataclasses.replace(self, key=self.key.replace(ANY_NAME, name))

    def value_in(self, settings: Settings) -> Any:  # noqa: ANN401 - a value is of any field's type
        """Return the value that is in force."""
        value: Any = settings
        for part in self.key.split("."):
            value = value[part] if isinstance(value, Mapping) else getattr(value, part)
        return value


def _catalogue(section: type, prefix: str = "") -> Iterator[Setting]:
    for entry in dataclasses.fields(section):
        key = prefix + entry.name
        if "text" in entry.metadata:
            text, check = entry.metadata["text"], entry.metadata["check"]
            yield Setting(key=key, default=entry.default, text=text, check=check)
        elif each := entry.metadata.get("each"):
            yield from _catalogue(each, f"{key}.{ANY_NAME}.")
        elif isinstance(entry.default_factory, type) and entry.default_factory is not dict:
            yield from _catalogue(entry.default_factory, f"{key}.")


SETTINGS: Final = {setting.key: setting for setting in _catalogue(Settings)}
"""Every setting by its key, in the order in which they are documented."""


def list_settings(settings: Settings) -> Iterator[Setting]:
    """Return every setting there is a value of, those of sections with names once for each."""
    for setting in SETTINGS.values():
        section, has_names, _ = setting.key.partition(f".{ANY_NAME}.")
        if not has_names:
            yield setting
        else:
            yield from (setting.named(name) for name in getattr(settings, section))


def find_setting(key: str) -> Setting | None:
    """Return the setting of a key, None where there is none."""
    if (found := SETTINGS.get(key)) is not None:
        return found
    section, _, rest = key.partition(".")
    name, _, last = rest.partition(".")
    pattern = SETTINGS.get(f"{section}.{ANY_NAME}.{last}")
    return pattern.named(name) if pattern and _NAME.fullmatch(name) else None


def find_variable(variable: str) -> Setting | None:
    """Return the setting that an environment variable sets, None where there is none."""
    for setting in SETTINGS.values():
        shape = re.escape(setting.variable).replace(re.escape(ANY_NAME), "([A-Z0-9]+)")
        if found := re.fullmatch(shape, variable):
            return setting.named(found[1].lower()) if found.groups() else setting
    return None


def base_url(listen: Listen) -> str:
    """Return the address of the pages and the API, as this machine reaches them."""
    return f"{scheme_of(listen)}://{url_host(listen)}:{listen.port}"


def scheme_of(listen: Listen) -> str:
    """Return what an address of our own ports begins with."""
    return "https" if listen.tls_certificate else "http"


def pages_url(listen: Listen) -> str:
    """Return the address that people open the pages at."""
    return listen.url or base_url(listen)


def url_host(listen: Listen) -> str:
    """Return the host of our own ports as it stands in an address: IPv6 in brackets.

    Whoever listens on every address reaches itself by loopback.
    """
    host = _EVERY_ADDRESS.get(listen.host, listen.host)
    return f"[{host}]" if ":" in host else host


def client_host(listen: Listen) -> str:
    """Return the host by which clients reach our own ports: the name that people use, if any."""
    named = urlsplit(listen.url).hostname if listen.tls_certificate or not _is_one(listen) else None
    return named or url_host(listen)


def _is_one(listen: Listen) -> bool:
    return listen.host not in _EVERY_ADDRESS


def installed_version() -> str:
    """Return the version of this program, `unknown` when it runs without being installed."""
    try:
        return metadata.version("codometer")
    except metadata.PackageNotFoundError:
        return "unknown"
