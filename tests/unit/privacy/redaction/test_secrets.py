"""Secrets of every kind that we know are cut out, and what only looks like one stays."""

import random
import string

import pytest

from codometer.privacy.redaction import Redactor
from codometer.privacy.redaction.patterns import SECRETS
from tests.unit.privacy.redaction.seeds import SEEDS, github, secret_in, some

REDACTOR = Redactor(b"k" * 32)
AROUND = (
    "{}",
    "use {} now",
    "x={}\n",
    '"{}"',
    "({}),",
    "\\n{}\\n",
    "`{}`",
    "{}.",
    "https://h/?k={}",
)


def test_there_is_an_example_of_every_kind() -> None:
    assert {pattern.kind for pattern in SECRETS} == set(SEEDS)


@pytest.mark.parametrize("kind", SEEDS)
@pytest.mark.parametrize("around", AROUND)
def test_a_secret_is_cut_out_wherever_it_stands(kind: str, around: str) -> None:
    redacted = REDACTOR.redact(around.format(SEEDS[kind]))
    assert secret_in(kind) not in redacted
    assert "[REDACTED:" in redacted


@pytest.mark.parametrize("kind", sorted(set(SEEDS) - {"jwt", "url", "google-oauth", "discord"}))
def test_the_mark_says_what_it_was(kind: str) -> None:
    marks = REDACTOR.redact(f"a {SEEDS[kind]} b")
    assert f"[REDACTED:{kind}:" in marks


@pytest.mark.parametrize(
    "text",
    [
        "password: hunter2!",
        "my passwort=geheim99",
        'db_password = "correct horse battery staple"',
        "client_secret: 'ab cd ef gh'",
        '{\\"password\\": \\"hunter2!\\"}',
        "--password hunter2!",
        "curl -u ada:hunter2! https://example.com",
        "machine example.com login ada password hunter2!",
        "CREATE USER ada IDENTIFIED BY 'hunter2!'",
        "mysql -u root -phunter2!",
        "https://hunter2hunter2@example.com/x.git",
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "Cookie: session=hunter2hunter2",
    ],
)
def test_what_is_assigned_to_a_password_goes_whatever_it_looks_like(text: str) -> None:
    redacted = REDACTOR.redact(text)
    for value in ("hunter2", "geheim", "horse", "staple", "cd ef", "wJalrXUt", "CYEXAMPLE"):
        assert value not in redacted


@pytest.mark.parametrize(
    "text",
    [
        "def f(token: str, password: Optional[str] = None) -> None: ...",
        "input_tokens: 123456, max_tokens=4096, output_tokens = 99",
        "password = os.environ['DB_PASSWORD']",
        "password: ${DB_PASSWORD}",
        "secret: <your secret>",
        "sk-learn and task-list-of-the-day are no keys",
        "src/codometer/privacy/redaction/patterns.py",
        "TestHTTP2ServerConnection2 and getUserAccountSettingsById",
        "session 7eff716b-3620-4db1-aea3-1fa9060d8c24",
        "12:30:45 on 2026-11-25T19:06:44Z, build 20261125",
        "https://example.com:8080/path?x=1",
        "git clone git@github.com:acme/shop.git",
        "std::vector<int> a(10); x = y[1:2]",
    ],
)
def test_code_that_only_speaks_of_secrets_stays(text: str) -> None:
    assert REDACTOR.redact(text) == text


def test_a_token_of_github_counts_by_its_checksum() -> None:
    assert "[REDACTED:github:" in REDACTOR.redact(github("a" * 30))
    example = "ghp_" + "a" * 36
    assert REDACTOR.redact(example) == example


@pytest.mark.parametrize("begin", ["RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", ""])
def test_a_private_key_goes_from_begin_to_end(begin: str) -> None:
    lines = "\n".join(some(64) for _ in range(40))
    key = f"-----BEGIN {begin}PRIVATE KEY-----\n{lines}\n-----END {begin}PRIVATE KEY-----"
    redacted = REDACTOR.redact(f"before\n{key}\nafter")
    assert redacted.startswith("before\n[REDACTED:private-key:")
    assert redacted.endswith("]\nafter")
    cut = REDACTOR.redact(f"before\n{key[:500]}")
    assert cut.startswith("before\n[REDACTED:private-key:")
    assert cut.endswith("]")


@pytest.mark.parametrize(("length", "most_missed"), [(24, 6), (32, 2), (40, 0), (64, 0), (88, 0)])
def test_what_is_too_even_for_a_word_goes_whoever_made_it(length: int, most_missed: int) -> None:
    chance = random.Random(7)  # noqa: S311 - of a test
    signs = string.ascii_letters + string.digits
    made = ["".join(chance.choices(signs, k=length)) for _ in range(200)]
    missed = [each for each in made if each in REDACTOR.redact(f"use {each} now")]
    assert len(missed) <= most_missed
