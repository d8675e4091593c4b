import gzip
import re
from pathlib import Path

import pytest

from codometer.serve.web.assets import FONT, STATIC, Assets
from tests.unit.serve.parts import Client, Office, build_office_app

STYLE_BUDGET = 10_000
SCRIPT_BUDGET = 6_000


@pytest.fixture
def client() -> Client:
    return Client(build_office_app(Office()))


def test_an_asset_is_kept_for_a_year_under_a_name_that_changes_with_it(
    client: Client, tmp_path: Path
) -> None:
    url = Assets.read().url("app.js")
    response = client.get(url, headers={"accept-encoding": "identity"})
    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "content-encoding" not in response.headers
    assert response.content == (STATIC / "app.js").read_bytes()
    (tmp_path / "app.js").write_text("another")
    assert Assets.read(tmp_path).url("app.js") != url


def test_an_asset_is_sent_compressed_to_those_who_read_that(client: Client) -> None:
    url = Assets.read().url("app.css")
    response = client.get(url, headers={"accept-encoding": "gzip, br"})
    assert response.headers["content-encoding"] == "gzip"
    assert response.headers["vary"] == "accept-encoding"
    assert int(response.headers["content-length"]) < STYLE_BUDGET


def test_what_is_no_asset_is_not_found_and_not_kept(client: Client) -> None:
    for path in ("/assets/app.css", "/assets/app.0123456789ab.css", "/assets/..%2Fassets.py"):
        response = client.get(path)
        assert response.status_code == 404
        assert response.headers["cache-control"] == "no-store"


def test_the_style_names_the_font_only_where_it_was_built(tmp_path: Path) -> None:
    (tmp_path / "app.css").write_text("body { color: red }")
    without = Assets.read(tmp_path)
    assert FONT not in without
    (tmp_path / FONT).write_bytes(b"wOF2")
    with_font = Assets.read(tmp_path)
    assert FONT in with_font
    assert with_font.url("app.css") != without.url("app.css")


def test_style_and_script_keep_to_their_budgets() -> None:
    assert len(gzip.compress((STATIC / "app.css").read_bytes())) <= STYLE_BUDGET
    scripts = b"".join((STATIC / name).read_bytes() for name in ("app.js", "theme.js"))
    assert len(gzip.compress(scripts)) <= SCRIPT_BUDGET


def test_no_asset_names_another_host() -> None:
    for name in ("app.css", "app.js", "theme.js"):
        assert re.findall(r"https?:|//\w+\.", (STATIC / name).read_text(encoding="utf-8")) == []


def test_installing_makes_the_font_small_enough_for_a_first_visit() -> None:
    font = STATIC / FONT
    assert font.exists(), "pip install --editable . makes it (hatch_build.py)"
    assert font.read_bytes().startswith(b"wOF2")
    assert font.stat().st_size <= 50_000
