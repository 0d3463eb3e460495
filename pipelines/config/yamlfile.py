"""Every YAML file that a user writes is read here, as it is written: text, lists and mappings.

YAML 1.1 makes 750 of `12:30`, False of `no`, 83 of `0123` and a date object of `2026-01-31`. Here
a value stays the text that stands in the file; whoever reads it knows whether it is a number, a
date or yes and no. Only an empty value, `~` and `null` without quotes mean nothing (None). Anchors,
aliases and tags are refused: `&Sons` would be an empty value, and ten lines of aliases of aliases
a billion values.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pipelines.config.textfile import NO_TEXT, UnreadableError, code_point, read_text
from pipelines.errors import SluiceError
from pipelines.wording import shown

_TEXT, _NULL = "tag:yaml.org,2002:str", "tag:yaml.org,2002:null"
_MARK = "a value that begins with &, * or ! needs quotes"


def read_yaml(path: Path, what: str, next_step: str, error: type[SluiceError]) -> Any:
    """The content: str, None, lists of them and mappings with str as keys.

    `what` begins the sentence of a refusal ("The settings file"), `next_step` ends it. Raises
    `error`: a file that cannot be read, is not UTF-8 or no YAML, or writes a key twice.
    """
    try:
        return yaml.load(read_text(path), Loader=_Loader)
    except UnreadableError as cause:
        raise error(
            f"{what} {path} cannot be read ({cause}): check the path, or {next_step}."
        ) from cause
    except RecursionError as cause:
        raise error(
            f"{what} {path} is not valid YAML (brackets or lists within lists, too deep): "
            f"{next_step}."
        ) from cause
    except yaml.YAMLError as cause:
        where, why = _problem(cause)
        raise error(f"{what} {path} is not valid YAML{where} ({why}): {next_step}.") from cause


def _problem(error: yaml.YAMLError) -> tuple[str, str]:
    """The place and the reason, without repeating a value: it may be a secret."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    why = getattr(error, "problem", None) or "it cannot be read"
    if "'\\t'" in why:
        why = "a tab: indent with spaces"
    elif "another document" in why:
        why = "--- begins a second document: keep one"
    elif "tag" in why or "anchor" in why or "alias" in why:
        why = _MARK
    return f" near line {mark.line + 1}" if mark else "", why


class _Loader(yaml.SafeLoader):
    """SafeLoader without types, that takes no key twice: the second one would silently win."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As the parent's, for values that are written out where they stand."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise _refused(_MARK, event)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Any, Any]:
        """As the parent's, and whole at once; a key is its text, whatever it looks like."""
        if not isinstance(node, yaml.MappingNode):
            raise _refused("lines of 'key: value' are missing here", node)
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _refused("a list or a mapping is no key", key)
            if key.value in lines:
                first = f"{shown(key.value)} is there twice, first in line {lines[key.value]}"
                raise _refused(f"{first}: keep one", key)
            lines[key.value] = key.start_mark.line + 1
            if key.tag == _NULL:
                key.tag = _TEXT
        return super().construct_mapping(node, deep=True)


def _refused(why: str, place: Any) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(problem=why, problem_mark=place.start_mark)


def _text(loader: yaml.SafeLoader, node: yaml.Node) -> str:
    # "\0" in quotes is text only until now.
    text = loader.construct_yaml_str(node)
    if found := NO_TEXT.search(text):
        raise _refused(f"a character that is no text, {code_point(found[0])}", node)
    return text


# What PyYAML finds in a value without quotes: nothing. No number, no date.
_Loader.yaml_implicit_resolvers = {None: [(_NULL, re.compile(r"(~|null|Null|NULL|)\Z"))]}
_Loader.yaml_constructors = {
    _TEXT: _text,
    _NULL: yaml.SafeLoader.construct_yaml_null,
    "tag:yaml.org,2002:seq": lambda loader, node: loader.construct_sequence(node, deep=True),
    "tag:yaml.org,2002:map": _Loader.construct_mapping,
}
