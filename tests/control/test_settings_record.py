import json
from dataclasses import replace
from pathlib import Path

from codometer.access.actions import Action
from codometer.access.audit import AuditLog, Filter
from codometer.access.settings_record import record_settings
from codometer.access.verification import verify
from codometer.settings import Ingest, Oidc, Privacy, Retention, Settings
from codometer.store.control import Control
from tests.control.test_audit import open_log

Told = tuple[str, dict[str, object], dict[str, object]]


def entries(log: AuditLog) -> list[Told]:
    """Return what was written of settings, the oldest first."""
    found = log.list_entries(Filter(actions=(Action.SETTING_CHANGE,)))
    return [
        (each.entry.object, json.loads(each.entry.before), json.loads(each.entry.after))
        for each in reversed(found)
    ]


DETAIL = Settings().retention.detail_days
SERVICES = [*Settings().privacy.services]


def test_a_start_with_the_defaults_leaves_no_entry(control: Control, tmp_path: Path) -> None:
    log = open_log(control, tmp_path)
    record_settings(log, Settings(data=tmp_path))
    assert entries(log) == []


def test_only_what_changed_since_the_last_start_has_an_entry(
    control: Control, tmp_path: Path
) -> None:
    log = open_log(control, tmp_path)
    first = Settings(data=tmp_path, retention=Retention(detail_days=30), ingest=Ingest())
    for _ in range(2):
        record_settings(log, first)
    assert entries(log) == [("retention.detail_days", {"value": DETAIL}, {"value": 30})]
    second = replace(
        first, retention=Retention(detail_days=60), privacy=Privacy(services=("bot@*",))
    )
    record_settings(log, second)
    record_settings(log, Settings(data=tmp_path))
    assert entries(log)[1:] == [
        ("privacy.services", {"value": SERVICES}, {"value": ["bot@*"]}),
        ("retention.detail_days", {"value": 30}, {"value": 60}),
        ("privacy.services", {"value": ["bot@*"]}, {"value": SERVICES}),
        ("retention.detail_days", {"value": 60}, {"value": DETAIL}),
    ]
    assert not verify(log).faults


def test_a_folder_that_was_moved_is_compared_with_where_it_was(
    control: Control, tmp_path: Path
) -> None:
    log = open_log(control, tmp_path)
    record_settings(log, Settings(data=tmp_path / "one", privacy=Privacy(minimum_people=20)))
    record_settings(log, Settings(data=tmp_path / "two"))
    assert entries(log)[-1] == ("privacy.minimum_people", {"value": 20}, {"value": 1})


def test_settings_with_a_name_are_told(control: Control, tmp_path: Path) -> None:
    log = open_log(control, tmp_path)
    provider = Oidc(issuer="https://idp.example", client_id="codometer")
    record_settings(log, Settings(data=tmp_path, oidc={"okta": provider}))
    record_settings(log, Settings(data=tmp_path, oidc={}))
    of_provider = [each for each in entries(log) if each[0] == "oidc.okta.client_id"]
    assert of_provider == [
        ("oidc.okta.client_id", {"value": ""}, {"value": "codometer"}),
        ("oidc.okta.client_id", {"value": "codometer"}, {}),
    ]
