"""A YAML file as a mapping; unlike PyYAML alone, a key that is written twice is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipelines.errors import SeedError


def read_mapping(path: Path) -> dict[str, Any]:
    """The content; raises SeedError with the line for what is no YAML or no mapping."""
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except OSError as error:
        raise SeedError(
            f"The tracking plan {path} cannot be read ({error.strerror}): correct the path, or "
            "take it out of sluice.yml."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or "not UTF-8"
        raise SeedError(
            f"The tracking plan {path} is not valid YAML{where} ({why}): correct it."
        ) from error
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise SeedError(f"The tracking plan {path} must begin with 'micro_conversions:'.")
    return content


class _Loader(yaml.SafeLoader):
    """SafeLoader that takes no key twice: the second one would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """As the parent's."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f"'{key.value}' is there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)
