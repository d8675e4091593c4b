"""What names a person or their machine is cut out of a text."""

import pytest

from codometer.privacy.redaction import Redactor

REDACTOR = Redactor(b"k" * 32)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("email", "ada@example.com"),
        ("email", "ada.lovelace+work@mail.example.co.uk"),
        ("email", "Ada.O'Brien@example.com"),
        ("email", "jürgen@müller.example"),
        ("email", "ada%40example.com"),
        ("email", "a" * 70 + "@example.com"),
        ("phone", "+49 151 23456789"),
        ("phone", "+44 (0)20 7946 0958"),
        ("phone", "+14155552671"),
        ("phone", "(415) 555-2671"),
        ("phone", "415-555-2671"),
        ("phone", "030 1234567"),
        ("phone", "0151/23456789"),
        ("iban", "DE89370400440532013000"),
        ("iban", "DE89 3704 0044 0532 0130 00"),
        ("iban", "GB82 WEST 1234 5698 7654 32"),
        ("iban", "fr1420041010050500013m02606"),
        ("card", "4111111111111111"),
        ("card", "5500 0055 5555 5559"),
        ("card", "3782-822463-10005"),
        ("ip", "192.0.2.17"),
        ("ip", "2001:db8::8a2e:370:7334"),
        ("ip", "fe80::1ff:fe23:4567:890a"),
        ("mac", "00:1B:44:11:3A:B7"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "x {} y", "({})", "a={};", '"{}"', "{}\n"])
def test_it_goes_wherever_it_stands(kind: str, value: str, around: str) -> None:
    redacted = REDACTOR.redact(around.format(value))
    assert f"[REDACTED:{kind}:" in redacted
    assert value not in redacted
    assert value[-6:] not in redacted


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("/home/ada/shop/app.py", "/home/*/shop/app.py"),
        ("cd /Users/ada.lovelace", "cd /Users/*"),
        (r"C:\Users\Ada\code", r"C:\Users\*\code"),
        ("file:///home/ada/x", "file:///home/*/x"),
        ("c:\\users\\ada\\x", "c:\\users\\*\\x"),
        (r"C:\\USERS\\Ada\\x", r"C:\\USERS\\*\\x"),
        ("c:/users/ada/x", "c:/users/*/x"),
        (r"\/home\/ada\/x", r"\/home\/*\/x"),
        (r"/Users/Ada\ Lovelace/x", "/Users/*/x"),
        ("/Users/Ada Lovelace", "/Users/*"),
        ("/Users/Ada Lovelace/x", "/Users/*/x"),
        (r"C:\Users\Ada King Lovelace\code", r"C:\Users\*\code"),
        ("ls /home/ada /tmp/x", "ls /home/* /tmp/x"),
        ("/root/.claude/projects/-home-ada-work/x.jsonl", "/root/.claude/projects/-home-*/x.jsonl"),
        ("~/.claude/projects/-Users-ada-lovelace", "~/.claude/projects/-Users-*"),
        ("projects/C--Users-ada-shop/", "projects/C--Users-*/"),
    ],
)
def test_of_a_home_directory_only_the_name_goes(text: str, kept: str) -> None:
    before, after = kept.split("*")
    redacted = REDACTOR.redact(text)
    assert redacted.startswith(f"{before}[REDACTED:user:")
    assert redacted.endswith(f"]{after}")


def test_numbers_side_by_side_are_each_found() -> None:
    text = (
        "DE89370400440532013000 GB82WEST12345698765432 4111111111111111 12/27 4111 1111 1111 1111"
    )
    redacted = REDACTOR.redact(text)
    assert redacted.count("[REDACTED:iban:") == 2
    assert redacted.count("[REDACTED:card:") == 2
    assert " 12/27 " in redacted


@pytest.mark.parametrize(
    "text",
    [
        "version 1.2.3 of 2026-11-25, 12:30:45",
        "127.0.0.1 and ::1 and 0.0.0.0",
        "order 1234567890123456, DE00370400440532013000",
        "@decorator def f(): return x @ y",
        "npm i @types/node@18.1.2",
        "GET /api/users/7 and the home-page, --home-dir",
        "1,732,559,204 of 99999999 bytes",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert REDACTOR.redact(text) == text
