"""`sluice demo` before it begins: which days it takes."""

import pytest

from tests.support.reading import fail


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--end", "2999-01-01"], ["2999-01-01 is not over yet in Europe/Berlin", "use --end "]),
        (["--end", "2020-10-20", "--days", "8"], ["before GA4's, 2020-10-14", "--days 7 at most"]),
        (["--end", "2020-10-13", "--days", "1"], ["before GA4's", "use a later --end."]),
        # From 14 October 2020 to 30 June 2026.
        (["--days", "2087"], ["--days 2086 at most"]),
    ],
)
def test_days_that_cannot_be_simulated_are_named(home, monkeypatch, capsys, arguments, words):
    code, said = fail(monkeypatch, capsys, "demo", *arguments)
    assert code == 1
    for word in words:
        assert word in said
    assert "Traceback" not in said
    assert not home.exists()
