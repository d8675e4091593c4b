import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.pricing import ModelId, normalise_model

PROFILE = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
OPAQUE = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a1b2c3d4e5f6"


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("claude-sonnet-4-5", "claude-sonnet-4-5"),
        ("  Claude-Sonnet-4-5 ", "claude-sonnet-4-5"),
        ("claude-opus-4-8[1m]", "claude-opus-4-8"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-3-5-haiku-20241022", "claude-3-5-haiku"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("claude-haiku-3-5", "claude-3-5-haiku"),
        ("claude-opus-4-0", "claude-opus-4"),
        ("claude-sonnet-4-0", "claude-sonnet-4"),
        ("claude-opus-5.5", "claude-opus-5-5"),
        ("anthropic/claude-opus-5.5", "claude-opus-5-5"),
        ("claude-sonnet-4-5-20250929[1m]", "claude-sonnet-4-5"),
    ],
)
def test_spellings_of_one_model_have_one_name(raw: str, name: str) -> None:
    assert normalise_model(raw) == ModelId(name, None, None, fast=False)


@pytest.mark.parametrize(
    ("raw", "name", "scope"),
    [
        ("us.anthropic.claude-opus-5-5", "claude-opus-5-5", "regional"),
        ("us-gov.anthropic.claude-opus-5-5", "claude-opus-5-5", "regional"),
        ("apac.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4", "regional"),
        ("global.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5", "global"),
        ("anthropic.claude-3-haiku-20240307-v1:0:48k", "claude-3-haiku", None),
        ("bedrock/eu.anthropic.claude-opus-4-6-v1[1m]", "claude-opus-4-6", "regional"),
        (PROFILE + "us.anthropic.claude-haiku-4-5-20251001-v1:0", "claude-haiku-4-5", "regional"),
        (PROFILE + "global.anthropic.claude-opus-5-5[1m]", "claude-opus-5-5", "global"),
        (
            "arn:aws:bedrock:us-west-2::foundation-model/anthropic.claude-opus-4-1-20250805-v1:0",
            "claude-opus-4-1",
            None,
        ),
    ],
)
def test_a_bedrock_id_tells_its_endpoint(raw: str, name: str, scope: str | None) -> None:
    assert normalise_model(raw) == ModelId(name, "bedrock", scope, fast=False)


@pytest.mark.parametrize(
    "raw",
    [
        "claude-opus-4-5@20251101",
        "claude-opus-4-5@default",
        "vertex_ai/claude-opus-4-5",
        "vertex_ai/claude-opus-4-5@20251101",
    ],
)
def test_a_vertex_id_does_not_tell_its_endpoint(raw: str) -> None:
    assert normalise_model(raw) == ModelId("claude-opus-4-5", "vertex", None, fast=False)


def test_an_id_can_ask_for_the_fast_mode() -> None:
    assert normalise_model("claude-opus-5-fast") == ModelId("claude-opus-5", None, None, fast=True)


def test_the_arn_of_an_application_inference_profile_stays_as_it_is() -> None:
    assert normalise_model(OPAQUE) == ModelId(OPAQUE, "bedrock", None, fast=False)
    assert normalise_model(OPAQUE + "[1m]").name == OPAQUE


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("", ""),
        ("GPT-6.1-Sol", "gpt-6.1-sol"),
        ("grok-4-fast", "grok-4-fast"),
        ("qwen3-coder[1m]", "qwen3-coder"),
        ("openrouter/anthropic/claude-opus-5.5", "openrouter/anthropic/claude-opus-5.5"),
        ("us.meta.llama3-1-70b-instruct-v1:0", "us.meta.llama3-1-70b-instruct-v1:0"),
    ],
)
def test_an_id_that_is_not_claude_s_keeps_its_own_name(raw: str, name: str) -> None:
    assert normalise_model(raw) == ModelId(name, None, None, fast=False)


def test_a_claude_that_is_not_known_yet_is_normalised_all_the_same() -> None:
    raw = "eu.anthropic.claude-opus-7.5-20280101-v1:0"
    assert normalise_model(raw) == ModelId("claude-opus-7-5", "bedrock", "regional", fast=False)


def test_an_id_longer_than_any_real_one_is_not_parsed() -> None:
    raw = "Claude" + "-v1" * 100
    assert normalise_model(raw).name == raw.lower()


_PIECES = ["claude", "-opus-4-5", ".5", "[1m]", "-fast", "@", "-v1:0", "-20250929", " ", "us.", "/"]


@given(st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=9).map("".join))
def test_a_canonical_name_stays_what_it_is(raw: str) -> None:
    name = normalise_model(raw).name
    assert normalise_model(name).name == name
