"""Every YAML file that a user writes is read here, as it is written: text, lists and mappings.

YAML 1.1 makes 750 of `12:30`, False of `no`, 83 of `0123` and a date object of `2026-01-31`. Here
a value stays the text that stands in the file; whoever reads it knows whether it is a number, a
date or yes and no. Only an empty value, `~` and `null` without quotes mean nothing (None).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import SluiceError

_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"


def read_yaml(path: Path, what: str, next_step: str, error: type[SluiceError]) -> Any:
    """The content: str, None, lists of them and mappings with str as keys.

    `what` begins the sentence of a refusal ("The settings file"), `next_step` ends it. Raises
    `error`: a file that cannot be read, is not UTF-8 or no YAML, or writes a key twice.
    """
    try:
        raw = path.read_bytes()
    except OSError as cause:
        raise error(
            f"{what} {path} cannot be read ({cause.strerror}): check the path, or {next_step}."
        ) from cause
    try:
        return yaml.load(raw.decode("utf-8-sig"), Loader=_Loader)
    except UnicodeDecodeError as cause:
        line, why = raw.count(b"\n", 0, cause.start) + 1, "it is not UTF-8: save it as UTF-8"
        raise error(f"{what} {path} is not valid YAML near line {line} ({why}).") from cause
    except RecursionError as cause:
        raise error(
            f"{what} {path} is not valid YAML (brackets or lists within lists, too deep): "
            f"{next_step}."
        ) from cause
    except yaml.YAMLError as cause:
        where, why = _problem(cause, raw)
        raise error(f"{what} {path} is not valid YAML{where} ({why}): {next_step}.") from cause


def _problem(error: yaml.YAMLError, raw: bytes) -> tuple[str, str]:
    """The place and the reason, without repeating a value: it may be a secret."""
    if isinstance(error, yaml.reader.ReaderError):
        line = raw.decode("utf-8-sig").count("\n", 0, error.position) + 1
        return f" near line {line}", f"a character that is no text, U+{error.character:04X}"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    why = getattr(error, "problem", None) or "it cannot be read"
    if "'\\t'" in why:
        why = "a tab: indent with spaces"
    elif isinstance(error, yaml.composer.ComposerError) and "alias" in why:
        why = "a value that begins with * needs quotes"
    elif "another document" in why:
        why = "--- begins a second document: keep one"
    return f" near line {mark.line + 1}" if mark else "", why


class _Loader(yaml.SafeLoader):
    """SafeLoader without types, that takes no key twice: the second one would silently win."""

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        """As the parent's, and whole at once; a key is its text, whatever it looks like."""
        if not isinstance(node, yaml.MappingNode):
            raise _refused("lines of 'key: value' are missing here", node)
        seen = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a list or a mapping is no key", key)
            if key.value in seen:
                raise _refused(f"'{key.value}' is there twice: keep one", key)
            seen.add(key.value)
            if key.tag == _NULL:
                key.tag = _TEXT
        return super().construct_mapping(node, deep=True)


def _refused(why: str, node: yaml.Node) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=why, problem_mark=node.start_mark)


def _text(loader: yaml.SafeLoader, node: yaml.Node) -> str:
    text = loader.construct_yaml_str(node)
    if found := yaml.reader.Reader.NON_PRINTABLE.search(text):
        raise _refused(f"a character that is no text, U+{ord(found[0]):04X}", node)
    return text


def _typed(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    raise _refused("a value that begins with ! needs quotes", node)


# What PyYAML finds in a value without quotes: nothing, or `<<: *other`. No number, no date.
_Loader.yaml_implicit_resolvers = {
    None: [
        (_NULL, re.compile(r"(~|null|Null|NULL|)\Z")),
        ("tag:yaml.org,2002:merge", re.compile(r"<<\Z")),
    ]
}
_Loader.yaml_constructors = {
    _TEXT: _text,
    _NULL: yaml.SafeLoader.construct_yaml_null,
    # A list or mapping that holds itself is refused, as it is made whole at once.
    "tag:yaml.org,2002:seq": lambda loader, node: loader.construct_sequence(node, deep=True),
    "tag:yaml.org,2002:map": _Loader.construct_mapping,
    None: _typed,
}
