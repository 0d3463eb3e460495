"""YAML as users write it: values stay text, and what cannot be read is one sentence."""

from pathlib import Path

import pytest

from pipelines.config.settings import load_settings
from pipelines.config.tracking_plan import load_plan
from pipelines.config.yamlfile import read_yaml
from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults import read_plan
from pipelines.errors import ConfigError, SeedError, SluiceError


def written(folder: Path, content: str | bytes) -> Path:
    path = folder / "file.yml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(folder: Path, content: str | bytes):
    return read_yaml(written(folder, content), "The file", "correct it", SluiceError)


@pytest.mark.parametrize(
    "text",
    ["12:30", "0123", "no", "NO", "off", "y", "true", "2026-01-31", "2026-02-30", "1e3", "1_000",
     "0x1F", "0o17", ".5", "+7", ".inf", ".nan", "190:20:30", "nullable", "=", "2026-01-31 10:00"],
)  # fmt: skip
def test_a_value_is_the_text_that_stands_there(tmp_path, text):
    assert read(tmp_path, f"a: {text}\n'b': [{text}]\n{text}: 1") == {
        "a": text, "b": [text], text: "1",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "~", "null", "Null", "NULL"])
def test_only_these_words_are_nothing(tmp_path, text):
    assert read(tmp_path, f"a: {text}\nb: '{text}'\n") == {"a": None, "b": text}


def test_a_byte_order_mark_lines_of_windows_and_anchors_are_no_matter(tmp_path):
    text = "base: &base {at: 12:30, days: 3}\r\nother: {<<: *base, days: 4}\r\nagain: *base\r\n"
    assert read(tmp_path, b"\xef\xbb\xbf" + text.encode()) == {
        "base": {"at": "12:30", "days": "3"},
        "other": {"at": "12:30", "days": "4"},
        "again": {"at": "12:30", "days": "3"},
    }


BROKEN = [
    ("a: 1\nb: 2\na: 3", "line 3", "'a' is there twice"),
    ("a: {b: 1, 'b': 2}", "line 1", "'b' is there twice"),
    ("a:\n\tb: 1", "line 2", "a tab: indent with spaces"),
    ("a: 1\n? [x, y]\n: 2", "line 2", "a list or a mapping is no key"),
    ("? {x: y}\n: 2", "line 1", "a list or a mapping is no key"),
    ("a: *token", "line 1", "a value that begins with * needs quotes"),
    ("a: !important 1", "line 1", "a value that begins with ! needs quotes"),
    ("a: !!timestamp 2026-02-30", "line 1", "a value that begins with ! needs quotes"),
    ("a: &a [*a]", "line 1", "recursive"),
    ("a: " + "[" * 3000, "", "too deep"),
    ("a: " + "{a: " * 3000, "", "too deep"),
    ('a: 1\nb: "\\0"', "line 2", "U+0000"),
    ('a: "\\ud800"', "line 1", "U+D800"),
    ('a: "\\e[31m"', "line 1", "U+001B"),
    ("ä: 1\nb: \x00", "line 2", "U+0000"),
    (b"a: 1\nb: \xff\xfe", "line 2", "save it as UTF-8"),
    ("a: 1".encode("utf-16"), "line 1", "save it as UTF-8"),
    ("a: 1\n---\nb: 2", "line 2", "second document"),
    ("a: [", "line 1", "expected"),
]


@pytest.mark.parametrize(("content", "place", "words"), BROKEN)
def test_what_is_no_yaml_is_one_sentence(tmp_path, content, place, words):
    with pytest.raises(SluiceError) as caught:
        read(tmp_path, content)
    message = str(caught.value)
    assert "\n" not in message
    for word in (str(tmp_path / "file.yml"), place, words):
        assert word in message
    assert "token" not in message


@pytest.mark.parametrize(
    ("reader", "error"),
    [
        (load_settings, ConfigError),
        (lambda path: load_plan(shop=path), SeedError),
        (read_plan, EmulatorError),
    ],
)
@pytest.mark.parametrize("content", [content for content, _, _ in BROKEN])
def test_every_file_of_a_user_is_read_so(tmp_path, reader, error, content):
    with pytest.raises(error, match=r"file\.yml is not valid YAML"):
        reader(written(tmp_path, content))


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(SluiceError, match=r"directory.*check the path, or correct it"):
        read_yaml(tmp_path, "The file", "correct it", SluiceError)
