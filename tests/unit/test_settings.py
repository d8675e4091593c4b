from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.configuration import (
    FLAGS,
    find_client_secret,
    find_credential,
    find_server,
    load_settings,
)
from codometer.errors import BadSettings
from codometer.networks import is_loopback
from codometer.settings import SETTINGS, Listen, Oidc, Settings, base_url, list_settings


def write(folder: Path, text: str) -> Path:
    path = folder / "codometer.toml"
    path.write_text(text, encoding="utf-8")
    return path


def load(
    folder: Path, environ: dict[str, str] | None = None, flags: dict[str, object] | None = None
) -> Settings:
    return load_settings(folder=folder, environ=environ or {}, flags=flags)


def mistakes_of(folder: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        load(folder, environ)
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def test_without_a_file_the_defaults_are_in_force(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert settings.listen == Listen(host="127.0.0.1", port=4319, otlp_port=4318, grpc_port=4317)
    assert settings.data == Path("codometer-data")
    assert settings.organisation.time_zone == "UTC"
    assert settings.ingest.max_body_bytes == 67_108_864
    assert settings.ingest.max_in_flight_bytes == 268_435_456
    assert settings.retention.detail_days == 90
    assert set(settings.origins.values()) == {"default"}


def test_a_file_in_the_working_directory_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, '[listen]\nport = 5000\n[dimensions]\nresource_attributes = ["squad"]')
    settings = load(tmp_path)
    assert settings.listen.port == 5000
    assert settings.listen.otlp_port == 4318
    assert settings.dimensions.resource_attributes == ("squad",)
    assert settings.origins["listen.port"] == str(path)
    assert settings.origins["listen.otlp_port"] == "default"


def test_the_environment_beats_the_file_and_a_flag_beats_both(tmp_path: Path) -> None:
    write(tmp_path, "[listen]\nport = 5000\notlp_port = 5001\ngrpc_port = 5002")
    environ = {"CODOMETER_LISTEN_PORT": "6000", "CODOMETER_LISTEN_OTLP_PORT": "6001"}
    settings = load(tmp_path, environ, {"listen.port": 7000, "data": None})
    assert settings.listen == Listen(port=7000, otlp_port=6001, grpc_port=5002)
    assert settings.origins["listen.port"] == "--port"
    assert settings.origins["listen.otlp_port"] == "CODOMETER_LISTEN_OTLP_PORT"


_VALUES = {
    "listen.host": "::1",
    "organisation.time_zone": "Asia/Kathmandu",
    "ingest.credentials": "required",
    "listen.url": "https://codometer.example",
    "listen.otlp_url": "https://otlp.codometer.example",
    "listen.trusted_proxies": "10.0.0.0/8, 192.0.2.7",
    "ingest.client_certificates": "optional",
    "control.database": "postgresql://codometer@db.example/codometer",
    "retention.audit_days": "500",
    "retention.content_days": "14",
    "retention.sum_days": "500",
    "outgoing.allow": "10.0.0.0/8, git.example",
    "outgoing.plain": "git.example",
    "outgoing.ports": "443, 3000",
    "outgoing.proxy": "http://proxy.example:3128",
    "sign_in.passwords": "off",
    "sign_in.second_factor": "everyone",
    "oidc.company.issuer": "https://login.example.com/tenant",
    "oidc.company.roles": "admins=administrator",
    "oidc.company.teams": "devs=checkout",
    "oidc.company.joining": "role",
}
_COMPANY = {
    "CODOMETER_OIDC_COMPANY_ISSUER": "https://login.example.com",
    "CODOMETER_OIDC_COMPANY_CLIENT_ID": "codometer",
    "CODOMETER_OIDC_COMPANY_ROLES": "staff=viewer",
}


_CERTIFICATE = {"CODOMETER_LISTEN_TLS_CERTIFICATE": "tls.crt"}
_KEY = {"CODOMETER_LISTEN_TLS_KEY": "tls.key"}
_PARTNERS = {
    "listen.tls_certificate": _KEY,
    "listen.tls_key": _CERTIFICATE,
    "ingest.client_ca": {**_CERTIFICATE, **_KEY},
}


def test_every_setting_can_be_set_by_its_variable(tmp_path: Path) -> None:
    values = {int: "7", str: "2GiB", tuple: "one, two"}
    for setting in (each.named("company") for each in SETTINGS.values()):
        text = values.get(type(setting.default), "/srv/data")
        text = _VALUES.get(setting.key, text)
        partners = {**_COMPANY, **_PARTNERS.get(setting.key, {})}
        settings = load(tmp_path, {**partners, setting.variable: text})
        assert settings.origins[setting.key] == setting.variable
        assert setting.value_in(settings) != setting.default


def test_a_section_with_a_name_is_there_as_often_as_it_is_named(tmp_path: Path) -> None:
    write(
        tmp_path,
        '''[oidc.company]
        issuer = "https://login.example.com"
        client_id = "codometer"
        roles = ["cn=admins,dc=example=administrator"]
        [oidc.partner]
        issuer = "https://partner.example"''',
    )
    settings = load(tmp_path, {"CODOMETER_OIDC_PARTNER_CLIENT_ID": "meter"})
    assert list(settings.oidc) == ["company", "partner"]
    assert settings.oidc["company"].roles == ("cn=admins,dc=example=administrator",)
    assert settings.oidc["partner"].client_id == "meter"
    keys = [setting.key for setting in list_settings(settings)]
    assert keys.count("oidc.company.issuer") == keys.count("oidc.partner.issuer") == 1
    assert not [key for key in keys if "*" in key]
    assert load(tmp_path / "elsewhere").oidc == {}


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ('[oidc.company]\nclient_id = "c"', "oidc.company.issuer is missing"),
        ('[oidc.company]\nissuer = "https://a.example"', "oidc.company.client_id is missing"),
        ('[oidc.company]\nissuer = "login"', "expected an address"),
        ('[oidc.company]\nroles = ["admins"]', "expected pairs"),
        ('[oidc.company]\njoining = "role"', "oidc.company.roles gives none"),
        ('[oidc.company]\nisuer = "https://a.example"', "oidc.company.isuer"),
        ('[oidc."two words"]\nissuer = "https://a.example"', "oidc.two words.issuer"),
        ('[oidc]\nissuer = "https://a.example"', "oidc.issuer"),
        ('[sign_in]\npasswords = "off"', "names no provider"),
        (
            '[oidc.a]\nissuer = "https://a.example"\n[oidc.b]\nissuer = "https://a.example"',
            "two sections with the same issuer",
        ),
    ],
)
def test_sign_in_that_could_not_work_stops_the_start(
    tmp_path: Path, content: str, mistake: str
) -> None:
    write(tmp_path, content)
    with pytest.raises(BadSettings) as raised:
        load(tmp_path)
    assert mistake in raised.value.message


def test_a_client_secret_is_in_a_file_or_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from the file\n", encoding="utf-8")
    settings = Oidc(client_secret_file=str(file))
    variable = {"CODOMETER_OIDC_COMPANY_CLIENT_SECRET": "from the variable"}
    assert load(tmp_path, {**_COMPANY, **variable}).oidc["company"].client_id == "codometer"
    assert find_client_secret("company", settings, variable) == "from the variable"
    assert find_client_secret("company", settings, {}) == "from the file"
    assert find_client_secret("company", Oidc(), {}) == ""
    file.write_bytes(b"\xff")
    for path in (file, tmp_path / "missing"):
        with pytest.raises(BadSettings, match="client_secret_file cannot be read"):
            find_client_secret("company", Oidc(client_secret_file=str(path)), {})


def test_a_list_in_a_variable_is_separated_by_commas(tmp_path: Path) -> None:
    settings = load(tmp_path, {"CODOMETER_DIMENSIONS_TEAM_ATTRIBUTES": "squad, team.id,"})
    assert settings.dimensions.team_attributes == ("squad", "team.id")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path) -> None:
    assert load(tmp_path, {"CODOMETER_LISTEN_PORT": ""}).listen.port == 4319


def test_a_file_can_be_named_by_flag_or_variable(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text("[retention]\ndetail_days = 30", encoding="utf-8")
    by_flag = load_settings(config=path, environ={}, folder=tmp_path)
    by_variable = load(tmp_path, {"CODOMETER_CONFIG": str(path)})
    assert by_flag.retention.detail_days == by_variable.retention.detail_days == 30


def test_a_relative_data_folder_in_a_file_lies_beside_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'data = "kept"')
    assert load(tmp_path).data == tmp_path / "kept"


def test_a_named_file_that_is_missing_is_a_mistake(tmp_path: Path) -> None:
    missing = tmp_path / "missing.toml"
    with pytest.raises(BadSettings, match="does not exist"):
        load_settings(config=missing, environ={}, folder=tmp_path)


def test_every_mistake_is_in_one_message(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'port = 1\n[listen]\nprot = 2\nport = 70000\n[store]\nmemory_limit = "much"\nthreads = 0\n'
        '[organisation]\ntime_zone = "Europe"\n[dimensions]\nteam_attributes = [1]',
    )
    environ = {"CODOMETER_STORE_THREADS": "two", "CODOMETER_LISTEN_PROT": "1"}
    assert mistakes_of(tmp_path, environ) == [
        f"port in {path} is not known; did you mean listen.port?",
        f"listen.prot in {path} is not known; did you mean listen.port?",
        f"listen.port ({path}) is 70000, expected a whole number from 0 to 65535",
        f"store.memory_limit ({path}) is much, expected a size such as 512MB or 2GiB",
        f"store.threads ({path}) is 0, expected a whole number of 1 or more",
        f"organisation.time_zone ({path}) is Europe, expected a name such as UTC or Europe/Berlin",
        f"dimensions.team_attributes ({path}) is [1], expected a list of texts",
        "the variable CODOMETER_LISTEN_PROT is not known; did you mean CODOMETER_LISTEN_PORT?",
        "store.threads (CODOMETER_STORE_THREADS) is two, expected a whole number",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data = 1", "expected a folder"),
        ("[listen]\nport = true", "expected a whole number"),
        ("[listen]\nport = 1.5", "expected a whole number"),
        ("[listen]\nhost = 1", "expected a text"),
        ("[dimensions]\nteam_attributes = 1", "expected a list of texts"),
        ("[listen", "cannot be read"),
        ("[listen]\nport = 4318", "the three ports [4318, 4318, 4317] must differ"),
        ("quite_unlike = 1", "quite_unlike in"),
    ],
)
def test_a_wrong_value_says_what_was_expected(tmp_path: Path, text: str, expected: str) -> None:
    write(tmp_path, text)
    [mistake] = mistakes_of(tmp_path)
    assert expected in mistake


def test_a_file_that_is_not_text_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "codometer.toml").write_bytes(b"\xff\xfe")
    [mistake] = mistakes_of(tmp_path)
    assert "cannot be read" in mistake


def test_ports_may_all_be_any_free_port(tmp_path: Path) -> None:
    flags: dict[str, object] = dict.fromkeys(FLAGS, 0) | {"listen.host": None, "data": None}
    assert load(tmp_path, flags=flags).listen == Listen(port=0, otlp_port=0, grpc_port=0)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.3.2.1", "::1", "localhost"])
def test_a_loopback_host_is_accepted(tmp_path: Path, host: str) -> None:
    assert load(tmp_path, flags={"listen.host": host}).listen.host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "example.com"])  # noqa: S104 - only read
def test_another_host_can_be_named(tmp_path: Path, host: str) -> None:
    assert load(tmp_path, flags={"listen.host": host}).listen.host == host


@pytest.mark.parametrize("host", ["[::1]", "", "a b", "http://x", "-x", "1.2.3.4:80"])
def test_what_is_no_host_is_a_mistake(tmp_path: Path, host: str) -> None:
    with pytest.raises(BadSettings, match="expected an address or a name"):
        load(tmp_path, flags={"listen.host": host})


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("mysql://host/name", "such as postgresql://"),
        ("postgresql://host", "such as postgresql://"),
        ("postgresql://ada:pw@host/name", "no password"),
        ("postgresql://host/name?password=pw", "no password"),
    ],
)
def test_a_database_is_named_without_its_password(
    tmp_path: Path, address: str, complaint: str
) -> None:
    with pytest.raises(BadSettings, match=complaint):
        load(tmp_path, {"CODOMETER_CONTROL_DATABASE": address})


def test_a_choice_is_one_of_its_words(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="expected optional or required"):
        load(tmp_path, {"CODOMETER_INGEST_CREDENTIALS": "maybe"})


@pytest.mark.parametrize(
    "url", ["http://codometer.example", "codometer.example", "https://x/path", "https://a@b"]
)
def test_people_are_led_to_an_address_with_tls(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadSettings, match=r"https://codometer\.example"):
        load(tmp_path, {"CODOMETER_LISTEN_URL": url})


def test_commands_send_the_credential_of_the_environment() -> None:
    assert find_credential({"CODOMETER_CREDENTIAL": "cdm_pat_x"}) == "cdm_pat_x"
    assert find_credential({"CODOMETER_CREDENTIAL": ""}) is None
    assert find_credential({}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CODOMETER_PORT", "tcp://10.0.0.1:4319"),
        ("CODOMETER_SERVICE_HOST", "10.0.0.1"),
        ("CODOMETER_SERVICE_PORT_HTTP", "4319"),
        ("CODOMETER_PORT_4319_TCP_ADDR", "10.0.0.1"),
        ("CODOMETER_URL", "http://elsewhere:4319"),
        ("CODOMETER_TEST_NEEDS_ALL", "1"),
    ],
)
def test_variables_with_another_purpose_are_left_alone(
    tmp_path: Path, name: str, value: str
) -> None:
    assert load(tmp_path, {name: value}).listen == Listen()


def test_the_server_to_ask_is_the_one_that_the_settings_name(tmp_path: Path) -> None:
    named = {"CODOMETER_URL": "http://elsewhere:1"}
    assert find_server(environ=named, folder=tmp_path) == (
        "http://elsewhere:1",
        "CODOMETER_URL",
        "",
    )
    assert find_server(environ={}, folder=tmp_path) == ("http://127.0.0.1:4319", "default", "")
    path = write(tmp_path, "[listen]\nport = 5000")
    assert find_server(environ={}, folder=tmp_path) == ("http://127.0.0.1:5000", str(path), "")


@pytest.mark.parametrize(
    ("environ", "complaint"),
    [
        (_CERTIFICATE, "listen: tls_certificate and tls_key go together"),
        (_KEY, "listen: tls_certificate and tls_key go together"),
        ({"CODOMETER_INGEST_CLIENT_CA": "ca.pem"}, "ingest.client_ca needs listen.tls_certificate"),
        ({"CODOMETER_LISTEN_TRUSTED_PROXIES": "proxy.example"}, "expected networks, such as 10"),
        ({"CODOMETER_LISTEN_TRUSTED_PROXIES": "10.0.0.1/8"}, "expected networks, such as 10"),
        ({"CODOMETER_OUTGOING_ALLOW": "https://git.example/"}, "expected networks and names"),
        ({"CODOMETER_OUTGOING_PORTS": "0"}, "expected ports, such as 443"),
        ({"CODOMETER_OUTGOING_PORTS": "65536"}, "expected ports, such as 443"),
        ({"CODOMETER_OUTGOING_PROXY": "http://robot:pw@proxy:3128"}, "such as http://proxy"),
    ],
)
def test_settings_of_the_network_that_cannot_be_are_mistakes(
    tmp_path: Path, environ: dict[str, str], complaint: str
) -> None:
    (mistake,) = mistakes_of(tmp_path, environ)
    assert complaint in mistake


def test_with_a_certificate_the_server_is_asked_over_tls(tmp_path: Path) -> None:
    write(tmp_path, '[listen]\nhost = "0.0.0.0"\ntls_certificate = "a.crt"\ntls_key = "a.key"')
    found = find_server(environ={}, folder=tmp_path)
    assert (found.url, found.certificate) == ("https://127.0.0.1:4319", "a.crt")


def test_an_address_has_ipv6_in_brackets() -> None:
    assert base_url(Listen(host="::")) == "http://[::1]:4319"
    assert base_url(Listen(host="::1")) == "http://[::1]:4319"
    assert base_url(Listen(host="127.0.0.1")) == "http://127.0.0.1:4319"


@given(st.text())
def test_any_text_is_a_host_or_not(text: str) -> None:
    assert is_loopback(text) in {True, False}


@given(st.integers(0, 65535))
def test_a_port_is_read_back_as_it_was_written(port: int) -> None:
    flags: dict[str, object] = {"listen.port": port, "listen.otlp_port": 0, "listen.grpc_port": 0}
    settings = load_settings(folder=Path("/nonexistent"), environ={}, flags=flags)
    assert settings.listen.port == port


@pytest.mark.parametrize(
    ("listen", "is_public"),
    [
        (Listen(), False),
        (Listen(url="https://localhost:4319", otlp_url="https://127.0.0.1:4318"), False),
        (Listen(host="::"), True),
        (Listen(url="https://codometer.example"), True),
        (Listen(otlp_url="https://otlp.codometer.example"), True),
        (Listen(trusted_proxies=("127.0.0.1",)), True),
    ],
)
def test_a_server_is_public_by_its_address_and_by_the_names_it_is_given(
    listen: Listen, *, is_public: bool
) -> None:
    assert listen.is_public is is_public
