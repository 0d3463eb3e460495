"""A shop of two pages and three days for Clarity's emulator, small enough to work out by hand."""

import json
from datetime import UTC, datetime
from pathlib import Path

# The morning after the last day.
MORNING = datetime(2026, 7, 1, 3, 30, tzinfo=UTC)
DAYS = ("2026-06-28", "2026-06-29", "2026-06-30")


def write_shop(folder: Path) -> Path:
    """A day: 600 sessions on phones and 400 on computers; 500 saw /products/a, 200 the payment.

    Hardly any phone gets through the payment since the 30th.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = [
        [day, path, count]
        for day in DAYS
        for path, count in (("/products/a", 500), ("/checkout/payment", 200))
    ]
    parts = [
        [day, "device", device, count]
        for day in DAYS
        for device, count in (("mobile", 600), ("desktop", 400))
    ]
    leak = {
        "step_key": "purchase", "scope": [["device", "mobile"]], "start_date": DAYS[-1],
        "end_date": DAYS[-1],
    }  # fmt: skip
    truth = {
        "pages": {"columns": ["date", "page_path", "sessions"], "rows": pages},
        "sessions": {
            "columns": ["date", "segment_name", "segment_value", "sessions"], "rows": parts,
        },
        "leaks": [leak],
    }  # fmt: skip
    (folder / "truth.json").write_text(json.dumps(truth))
    about = {"time_zone": "Europe/Berlin", "currency_code": "EUR"}
    (folder / "property.json").write_text(json.dumps(about))
    return folder
