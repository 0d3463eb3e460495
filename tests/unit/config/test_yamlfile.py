"""YAML as users write it: values stay text, and what cannot be read is one sentence."""

import os
from pathlib import Path

import pytest

from pipelines.config.settings import load_settings
from pipelines.config.tracking_plan import load_plan
from pipelines.config.yamlfile import read_yaml
from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults import read_plan
from pipelines.errors import ConfigError, SeedError, SluiceError


def written(folder: Path, content: str | bytes) -> Path:
    folder.mkdir(exist_ok=True)
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


def test_a_byte_order_mark_and_lines_of_windows_are_no_matter(tmp_path):
    text = "base: {at: 12:30, days: 3}\r\nother: [é]\r\n"
    assert read(tmp_path, b"\xef\xbb\xbf" + text.encode()) == {
        "base": {"at": "12:30", "days": "3"},
        "other": ["é"],
    }


MARK = "a value that begins with &, * or ! needs quotes"
# Nine lists of nine of the list before: written out, these are 387 million values.
BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
)
# What is written → where, and why it is no YAML.
BROKEN = [
    ("a: 1\nb: 2\na: 3", " near line 3", "'a' is there twice, first in line 1: keep one"),
    ("a: {b: 1, 'b': 2}", " near line 1", "'b' is there twice, first in line 1: keep one"),
    ("null: 1\n~: 2\nnull: 3", " near line 3", "'null' is there twice, first in line 1: keep one"),
    ("a:\n\tb: 1", " near line 2", "a tab: indent with spaces"),
    ("a: 1\n? [x, y]\n: 2", " near line 2", "a list or a mapping is no key"),
    ("? {x: y}\n: 2", " near line 1", "a list or a mapping is no key"),
    ("a: *token", " near line 1", MARK),
    ("a: &Sons", " near line 1", MARK),
    ("a: &a [*a]", " near line 1", MARK),
    ("a: &a {b: 1}\nc: {<<: *a}", " near line 1", MARK),
    (BOMB, " near line 1", MARK),
    ("a: !important 1", " near line 1", MARK),
    ("a: !x!y 1", " near line 1", MARK),
    ("a: !!timestamp 2026-02-30", " near line 1", MARK),
    ("a: !!python/object/apply:os.system [id]", " near line 1", MARK),
    ("a: !!null x", " near line 1", MARK),
    ("a: " + "[" * 3000, "", "brackets or lists within lists, too deep"),
    ("a: " + "{a: " * 3000, "", "brackets or lists within lists, too deep"),
    ("- " * 3000, "", "brackets or lists within lists, too deep"),
    ('a: 1\nb: "\\0"', " near line 2", "a character that is no text, U+0000"),
    ('a: "\\ud800"', " near line 1", "a character that is no text, U+D800"),
    ('a: "\\e[31m"', " near line 1", "a character that is no text, U+001B"),
    ("a: 1\n---\nb: 2", " near line 2", "--- begins a second document: keep one"),
    ("a: [", " near line 1", "expected the node content, but found '<stream end>'"),
    ("a: 'x\nb: y", " near line 2", "found unexpected end of stream"),
    ("a: b: c", " near line 1", "mapping values are not allowed here"),
]
UNREADABLE = [
    ("ä: 1\nb: \x00".encode(), "line 2 has a character that is no text, U+0000"),
    (b"a: \x1b[31m", "line 1 has a character that is no text, U+001B"),
    (b"a: 1\nb: \xff\xfe", "line 2 is not UTF-8: save it as UTF-8"),
    ("a: 1\nb: Größe".encode("latin-1"), "line 2 is not UTF-8: save it as UTF-8"),
    ("a: 1".encode("utf-16"), "line 1 is not UTF-8: save it as UTF-8"),
    ("a: 1".encode("utf-16-le"), "line 1 has a character that is no text, U+0000"),
    ("a: 1".encode("utf-32"), "line 1 is not UTF-8: save it as UTF-8"),
    (b"a: " + b"x" * 1_000_000, "it is larger than 1,000,000 bytes"),
]


def refusal(reader, error, path: Path) -> str:
    with pytest.raises(error) as caught:
        reader(path)
    return str(caught.value).replace(str(path), "{file}")


READERS = [
    (load_settings, ConfigError, "The settings file", "compare it with sluice.example.yml"),
    (lambda path: load_plan(shop=path), SeedError, "The tracking plan", "correct it"),
    (read_plan, EmulatorError, "The faults file", "compare it with docs/emulator.md"),
]


@pytest.mark.parametrize(("reader", "error", "what", "step"), READERS)
def test_what_is_no_yaml_is_one_sentence(tmp_path, reader, error, what, step):
    for content, place, why in BROKEN:
        said = refusal(reader, error, written(tmp_path, content))
        assert said == f"{what} {{file}} is not valid YAML{place} ({why}): {step}."


@pytest.mark.parametrize(("reader", "error", "what", "step"), READERS)
def test_what_cannot_be_read_is_one_sentence(tmp_path, reader, error, what, step):
    pipe, endless, huge = tmp_path / "pipe", tmp_path / "endless", tmp_path / "huge"
    os.mkfifo(pipe)
    endless.symlink_to("/dev/zero")
    with huge.open("wb") as file:
        file.truncate(100_000_000)
    cases = [
        *(
            (written(tmp_path / str(n), content), why)
            for n, (content, why) in enumerate(UNREADABLE)
        ),
        (tmp_path, "it is no file"),
        (pipe, "it is no file"),
        (endless, "it is no file"),
        (huge, "it is larger than 1,000,000 bytes"),
        (tmp_path / "absent.yml", "No such file or directory"),
        (tmp_path / ("x" * 300), "File name too long"),
        (huge / "file.yml", "Not a directory"),
    ]
    for path, why in cases:
        said = refusal(reader, error, path)
        assert said == f"{what} {{file}} cannot be read ({why}): check the path, or {step}."


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission(tmp_path):
    path = written(tmp_path, "a: 1")
    path.chmod(0)
    assert "(Permission denied)" in refusal(load_settings, ConfigError, path)
