"""Words that are not ours: keys and tokens in them are never repeated, and neither is a novel."""

import pytest

from pipelines.errors import ConfigError
from pipelines.wording import redacted, shortened

KEY = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----"  # pragma: allowlist secret
SECRETS = [
    ("Authorization: Bearer abc.DEF-1_2~3/4+5==, sorry", "Authorization: Bearer [redacted], sorry"),
    ("authorization: bearer ya29.a0AfB_by-x; end", "authorization: bearer [redacted]; end"),
    ("the token ya29.a0AfB_by-x.y is old", "the token [redacted] is old"),
    ("jwt eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2ln-_x.", "jwt [redacted]"),
    ("https://x.example/?alt=json&key=AIza12#a", "https://x.example/?alt=json&key=[redacted]"),
    ("see ?access_token=abc&b=2", "see ?access_token=[redacted]&b=2"),
    ('{"refresh_token": "1//0gabc", "a": 1}', '{"refresh_token": "[redacted]", "a": 1}'),
    ("client_secret=GOCSPX-abc, id=3", "client_secret=[redacted], id=3"),
    ("AIzaSyA1234567890abcdefghijklmnopqrstuv", "[redacted]"),
    (f"before {KEY} after", "before -----BEGIN PRIVATE KEY-----[redacted] after"),
    (KEY[:40], "-----BEGIN PRIVATE KEY-----[redacted]"),
    (KEY.replace("\n", "\\n"), "-----BEGIN PRIVATE KEY-----[redacted]"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), SECRETS)
def test_keys_and_tokens_are_taken_out(text: str, shown: str) -> None:
    assert redacted(text) == shown
    assert str(ConfigError(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Exhausted property tokens for a project per hour.",
        "raw.ga4_users_window: key_is_unique (property 42) found duplicate_keys 2",
        "the key add_to_cart has no benchmark; partition_key=2026-03-01",
        "Check ga4.credentials: put the path of a service account's JSON key there.",
        "token: see the docs, bearer of good news",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redacted(text) == text


def test_long_words_are_cut() -> None:
    assert shortened("x" * 500) == "x" * 500
    assert shortened("x" * 501) == "x" * 500 + "…"
