"""The JavaScript that draws the charts: vega, vega-lite and vega-embed, out of vl-convert.

Putting the bundle together takes seconds, so it is kept: in the process, and in a folder that
later nights find again. The file's name carries the version, so an upgrade makes a new one.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from pipelines.report.files import write_whole

_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def chart_script(cache_dir: Path) -> str:
    """The bundle, safe inside a script element."""
    kept = cache_dir / f"charts-{version('vl-convert-python')}.js"
    if kept.exists():
        return kept.read_text(encoding="utf-8")
    script = _bundle()
    write_whole(kept, script)
    return script


@lru_cache(maxsize=1)
def _bundle() -> str:
    import vl_convert  # noqa: PLC0415  (a JavaScript engine: only where one is needed)

    # `</script` ends a script element, wherever it stands; `<!--` can keep it open.
    script: str = vl_convert.javascript_bundle(_SNIPPET)
    return script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
