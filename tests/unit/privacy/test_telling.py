"""Names that only look like a credential stay; credentials and addresses do not."""

import secrets
import string

import pytest

from codometer.privacy.telling import is_telling


def _random(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


@pytest.mark.parametrize(
    "name",
    [
        "sk-sales",
        "pypi-publishing-skill",
        "hf_transformers_helper",
        "hf_transformers_v2_helper",
        "npm_install_and_test_everything",
        "sk-scandinavia-south-platform",
        "task-force-AKIA",
        "claude-opus-4@20250514",
        "risk-assessment-2026-11-26",
        "@acme/tools",
        "11:30@berlin",
    ],
)
def test_a_name_is_kept(name: str) -> None:
    assert not is_telling(name)


@pytest.mark.parametrize(
    "credential",
    [
        pytest.param("AKIA" + _random(16, string.ascii_uppercase), id="AWS"),
        pytest.param("AIza" + _random(35), id="Google"),
        pytest.param("sk_live_" + _random(24), id="Stripe"),
        pytest.param("ghp_" + _random(36), id="GitHub"),
        pytest.param("glpat-" + _random(20), id="GitLab"),
        pytest.param("xoxb-" + _random(11, string.digits) + "-" + _random(24), id="Slack"),
        pytest.param("sk-ant-api03-" + _random(95), id="Anthropic"),
        pytest.param("sk-proj-" + _random(48), id="OpenAI"),
        pytest.param("sk-" + _random(48, string.ascii_lowercase), id="without digits"),
        pytest.param("npm_" + _random(36), id="npm"),
        pytest.param("pypi-AgEIcHlwaS5vcmc" + _random(150), id="PyPI"),
        pytest.param("hf_" + _random(34, string.ascii_letters), id="Hugging Face"),
        pytest.param("sk-team/ghp_" + _random(36), id="GitHub, in a name"),
        pytest.param("cdm_ing_" + _random(36), id="ours"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "team {}", "x={}", "({})", "a/{}/b"])
def test_a_credential_is_found_wherever_it_stands(credential: str, around: str) -> None:
    assert is_telling(around.format(credential))


@pytest.mark.parametrize("text", ["ada@example.com", "team of ada.l+x@mail.example.co.uk!"])
def test_an_address_is_found(text: str) -> None:
    assert is_telling(text)
