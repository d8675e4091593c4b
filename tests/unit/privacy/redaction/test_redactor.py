"""Texts come out without what was seeded, whatever stands around it and however it is written."""

import json
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codometer.privacy.redaction import Redactor
from codometer.privacy.redaction.redactor import SLICE, TooDeep
from tests.unit.privacy.redaction.seeds import SEEDS, secret_in, some

REDACTOR: Final = Redactor(b"k" * 32)
AWS: Final = SEEDS["aws"]
EMAIL: Final = "ada@example.com"
_MANY: Final = 200_000
_SECONDS: Final = 60
"""Of the processor, for a fifth of a megabyte; what grew with its square would take hours."""


def test_equal_values_have_equal_marks_and_others_do_not() -> None:
    first, second, third = REDACTOR.redact(f"{EMAIL} ADA@example.com bob@example.com").split()
    assert first == second != third
    assert Redactor(b"x" * 32).redact(EMAIL) != first


def test_marks_are_left_as_they_are() -> None:
    for text in (*SEEDS.values(), EMAIL, "password: hunter2!", "/home/ada/x"):
        once = REDACTOR.redact(f"see {text} there")
        assert REDACTOR.redact(once) == once


def test_a_mark_hides_nothing_around_it() -> None:
    mark = REDACTOR.redact(EMAIL)
    redacted = REDACTOR.redact(f"[REDACTED:{AWS}] {mark}{AWS}{mark}")
    assert AWS not in redacted


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"content": f"key\n{AWS}\nmail\t{EMAIL}"}),
        json.dumps([json.dumps({"a": json.dumps({"b": f"\n{AWS} {EMAIL}"})})]),
        json.dumps({f"{AWS} of {EMAIL}": 1}),
        json.dumps({"content": f"key\n{AWS}\n{EMAIL}\n" + "x" * 9000})[:-500],
        "".join(f"\\u{ord(char):04x}" for char in f"{AWS} {EMAIL}"),
        f"{AWS[:6]}\u200b{AWS[6:]} {EMAIL[:5]}\u00ad{EMAIL[5:]}",
        "".join(chr(ord(char) + 0xFEE0) for char in f"{AWS}") + " ada\uff20example.com",
        f"ada&#64;example.com {AWS}",
    ],
)
def test_no_way_of_writing_hides_it(text: str) -> None:
    redacted = REDACTOR.redact(text)
    for hidden in (redacted, redacted.replace("\u200b", "").replace("\u00ad", "")):
        assert AWS not in hidden
        assert EMAIL not in hidden
    assert "[REDACTED:aws:" in redacted
    assert "[REDACTED:email:" in redacted


def test_a_document_stays_one_and_only_what_must_goes_from_it() -> None:
    told = {"file_path": "/home/ada/x.py", "password": "hunter2", "n": 4111111111111111, "ok": True}
    redacted = json.loads(REDACTOR.redact(json.dumps(told)))
    assert redacted["file_path"].startswith("/home/[REDACTED:user:")
    assert redacted["password"].startswith("[REDACTED:password:")
    assert redacted["n"].startswith("[REDACTED:card:")
    assert redacted["ok"] is True
    harmless = '{"a": [1, 2.5, null, "b"]}'
    assert REDACTOR.redact(harmless) == harmless


@pytest.mark.parametrize("hidden", [f'"{AWS}"', f'["{AWS}"]', f'{{"b": "{AWS} {EMAIL}"}}'])
def test_a_name_that_comes_twice_hides_nothing(hidden: str) -> None:
    for text in (
        f'{{"a": {hidden}, "a": "x"}}',
        f'[{{"b": {{"a": {hidden}, "a": 1, "n": "{EMAIL}"}}}}]',
        json.dumps({"inner": f'{{"a": {hidden}, "a": 1}}'}),
    ):
        redacted = REDACTOR.redact(text)
        assert AWS not in redacted
        assert EMAIL not in redacted


@pytest.mark.parametrize(
    "value",
    [
        ["hunter2secret"],
        {"value": "hunter2secret"},
        [{"value": ["hunter2secret", 1]}],
        json.dumps(["hunter2secret"]),
    ],
)
def test_all_text_within_a_field_that_is_named_like_a_secret_goes(value: object) -> None:
    told = {"password": value, "max_tokens": {"value": 12}, "token": None}
    redacted = REDACTOR.redact(json.dumps(told))
    assert "hunter2secret" not in redacted
    assert json.loads(redacted)["max_tokens"] == {"value": 12}
    assert REDACTOR.redact(redacted) == redacted


_TOLD: Final = {
    "auth": "ab",
    "list": [1, True, -2.5],
    "credentials": {"user": "ada lovelace", "pin": "pi"},
    "password": 'hunter2 \\ "horse" \u00e9 battery',
    "inner": json.dumps({"client_secret": "hunter2 horse", "n": None}),
    "more": ["x"],
}


@pytest.mark.parametrize("text", [json.dumps(_TOLD), json.dumps(_TOLD, indent=2)])
def test_a_document_that_was_cut_off_keeps_no_part_of_what_its_keys_call_secret(text: str) -> None:
    for end in range(len(text)):
        redacted = REDACTOR.redact(text[:end])
        for secret in ("ada", "lovelace", "hunt", "horse", "battery"):
            assert secret not in redacted, (text[:end], redacted)
        assert REDACTOR.redact(redacted) == redacted
    assert json.loads(REDACTOR.redact(text[:90]))["list"] == [1, True, -2.5]


def test_a_long_document_is_cut_without_what_its_keys_call_secret() -> None:
    text = json.dumps([{"text": "x" * 700, "auth": {"pin": "hunter2 horse"}}] * 400)
    for longest in (1000, 20_000, len(text) - 10):
        redacted = REDACTOR.redact(text, longest=longest)
        assert len(redacted) <= longest
        assert "hunter2" not in redacted
        assert redacted.count("[REDACTED:password:") >= longest // 1000
    short = [{"auth": "pi" * 4000, "pin": AWS}] * 40
    assert AWS[:8] not in REDACTOR.redact(json.dumps(short), longest=1000)


@pytest.mark.parametrize(
    "text", ["[", '{"a', '{"a": ', "[1, 2,", "[no", "{so", '"say', '["\\u00', "[}"]
)
def test_what_was_cut_off_and_is_harmless_stays_as_it_is(text: str) -> None:
    redacted = REDACTOR.redact(text)
    assert text.startswith(redacted)
    assert len(text) - len(redacted) <= len("\\u00")


@pytest.mark.parametrize("depth", [32, 100])
def test_what_is_nested_too_deeply_is_not_returned(depth: int) -> None:
    nested: object = AWS
    for _ in range(depth):
        nested = [nested]
    with pytest.raises(TooDeep):
        REDACTOR.redact(json.dumps(nested))


def test_a_number_alone_is_text() -> None:
    assert REDACTOR.redact("[7]") == "[7]"
    assert REDACTOR.redact(f'"{AWS}"').startswith('"[REDACTED:aws:')


@pytest.mark.parametrize("place", [0, 1, SLICE - 30, SLICE - 10, SLICE, SLICE + 5, 3 * SLICE - 15])
def test_a_secret_is_found_at_every_place_of_a_long_text(place: int) -> None:
    filling = ("lorem ipsum " * (4 * SLICE // 12))[: 4 * SLICE]
    redacted = REDACTOR.redact(f"{filling[:place]} {AWS} {EMAIL} {filling[place:]}")
    assert AWS not in redacted
    assert EMAIL not in redacted


@pytest.mark.parametrize("ahead", [-40, -20, -10, -1, 0, 1])
def test_a_text_is_cut_without_cutting_a_secret(ahead: int) -> None:
    text = "a " * 500
    filled = f"{text[: 1000 + ahead]}{AWS} {text}"
    redacted = REDACTOR.redact(filled, longest=1000)
    assert len(redacted) <= 1000 + 40
    assert not any(AWS[:size] in redacted for size in range(8, 21))


@given(
    st.text(max_size=60),
    st.text(max_size=60),
    st.sampled_from(sorted(SEEDS)),
    st.sampled_from([" ", "\n", '"', "'", "(", "\t", "; "]),
)
def test_no_text_around_clears_a_seeded_secret(
    before: str, after: str, kind: str, between: str
) -> None:
    redacted = REDACTOR.redact(f"{before}{between}{SEEDS[kind]}{between}{after}")
    assert secret_in(kind) not in redacted


@given(st.text(max_size=300))
def test_any_text_can_be_redacted_twice(text: str) -> None:
    once = REDACTOR.redact(text)
    assert REDACTOR.redact(once) == once


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    )
)
def test_any_document_can_be_redacted_with_a_secret_in_it(document: object) -> None:
    redacted = REDACTOR.redact(json.dumps([document, {"k": f"{AWS} {EMAIL}"}]))
    assert AWS not in redacted
    assert EMAIL not in redacted


@pytest.mark.parametrize(
    "piece",
    [
        "a", "1 ", "a@", "@a.", "key=", "password ", ":", "+1 ", "eyJ", "-eyJ", "1.", "a:", "/home",
        'password="', "user a ", "mysql ", "://a", "://a:", "DE89 ", "4111", "030 ", "[", " -u a",
        "-----BEGIN RSA PRIVATE KEY-----", "[REDACTED:aws:12345678]", "eyJaaaaaaaaa.", "\\u0041",
        "AKIA", "token ", "bearer ", "\u200b", '{"a":', "dt0c01.", "a.a@",
        "/Users/a b/", "/Users/a ", "C:\\users", "/-home-", " -home-a",
    ],
)  # fmt: skip
def test_no_text_makes_it_slow(piece: str) -> None:
    text = piece * (_MANY // len(piece))
    began = time.process_time()
    REDACTOR.redact(text)
    assert time.process_time() - began < _SECONDS


def test_random_texts_are_redacted_in_good_time() -> None:
    began = time.process_time()
    REDACTOR.redact(" ".join(some(40) for _ in range(_MANY // 40)))
    assert time.process_time() - began < _SECONDS
