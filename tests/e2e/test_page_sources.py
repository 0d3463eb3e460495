"""Clarity and heatmap downloads through a whole night: what readers get, and what never leaks."""

from __future__ import annotations

from collections import Counter

from pipelines.config.settings import Settings
from pipelines.emulator.clarity import TOKEN
from tests.e2e.shop import PROPERTY, Shop, published_rows

DEVICES = ("mobile", "desktop", "tablet")


def test_readers_get_what_clarity_counted(shop: Shop, published_home: Settings) -> None:
    """Its first night tells three days: sessions of pages, shared among devices (docs/emulator.md);
    the whole project has every session once.
    """
    days = sorted({row["date"] for row in shop.truth("pages").to_pylist()})[-3:]
    devices = {
        (row["date"], row["segment_value"]): row["sessions"]
        for row in shop.truth("sessions").to_pylist()
        if row["segment_name"] == "device" and row["date"] in days
    }
    whole = {day: sum(n for (one, _), n in devices.items() if one == day) for day in days}
    wanted: Counter[tuple[str, str]] = Counter({("(all)", "all"): sum(whole.values())})
    for row in shop.truth("pages").to_pylist():
        for device in DEVICES if row["date"] in days else ():
            count = row["sessions"] * devices.get((row["date"], device), 0) // whole[row["date"]]
            wanted[row["page_path"], device] += count
    rows = published_rows(
        published_home,
        "select page_path, device, sessions from marts.fct_page_friction "
        "where property_id = ? and signal = 'dead_click' and window_hours = 72",
        [PROPERTY],
    )
    ((calls,),) = published_rows(published_home, "select count(*) from ops.source_calls")
    assert {(path, device): sessions for path, device, sessions in rows} == dict(+wanted)
    assert calls == 2


def test_readers_get_the_clicks_of_the_file(shop: Shop, published_home: Settings) -> None:
    ((page, start, clicks, all_clicks, share),) = published_rows(
        published_home,
        "select page_path, period_start, clicks, all_clicks, click_share "
        "from marts.fct_heatmap_click where is_add_to_cart",
    )
    added = sum(
        row["events"]
        for row in shop.truth("page_keys").to_pylist()
        if (row["page_path"], row["key"]) == (page, "add_to_cart") and row["date"] >= str(start)
    )
    assert (clicks, share) == (added, added / all_clicks)
    text = (published_home.published_dir / "current" / "report.html").read_text(encoding="utf-8")
    assert f"Clicks on {page}" in text
    assert "Friction on pages (Clarity)" in text


def test_neither_token_nor_query_is_anywhere(published_home: Settings) -> None:
    """Every fifth address of the emulator has a query with a mail address."""
    files = [path for path in published_home.home.rglob("*") if path.is_file()]
    assert len(files) > 50
    for secret in (TOKEN, "jane%40mail", "fbclid"):
        assert [path for path in files if secret.encode() in path.read_bytes()] == []
