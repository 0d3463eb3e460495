"""A register for shops that a fixture publishes, with outcomes worked out by hand."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

FIRST = date(2026, 6, 1)
_EXPERIMENTS = """\
button:
  property: "{shop}"
  hypothesis: A green button is seen sooner
  key: add_to_cart
  device: mobile
  start: 2026-06-01
  variants: [control, green]
  primary_metric: add_to_cart
  smallest_effect: 0.02
  outcomes: button.csv
headline:
  property: "{shop}"
  hypothesis: A shorter headline keeps visitors
  stage: home
  start: 2026-05-01
  end: 2026-05-31
  variants: [old, short]
  primary_metric: product_view
  smallest_effect: 0.03
  outcomes: headline.csv
badges:
  property: "{shop}"
  hypothesis: Trust badges help
  stage: checkout
  start: 2026-07-01
  variants: [control, badges]
  primary_metric: purchase
  outcomes: badges.csv
"""
_CHANGES = """\
form:
  property: "{shop}"
  description: One page instead of three
  stage: checkout
  elements: [form, text]
  start: 2026-07-20
sale:
  property: "{shop}"
  description: 20 % on everything
  stage: site
  device: desktop
  start: 2026-06-10
  end: 2026-06-10
wallet:
  property: "{leaking}"
  description: Another payment service
  stage: checkout
  start: 2026-06-10
repair:
  property: "{healed}"
  description: The payment form takes all cards again
  stage: checkout
  start: 2026-06-23
"""


def write_register(folder: Path, shop: str, leaking: str, healed: str) -> None:
    """Write both files and the outcomes: of a healthy property, and a change of each other one."""
    folder.mkdir()
    names = {"shop": shop, "leaking": leaking, "healed": healed}
    (folder / "experiments.yml").write_text(_EXPERIMENTS.format(**names))
    (folder / "changes.yml").write_text(_CHANGES.format(**names))
    rows = ["date,variant,exposed,converted,macro_converted"]
    for number in range(28):
        day = FIRST + timedelta(number)
        rows += [f"{day},control,400,32,4", f"{day},green,400,48,4"]
    (folder / "button.csv").write_text("\n".join(rows))
    # The reference case of 10 and 11.7 % as totals; the new variant stands first.
    (folder / "headline.csv").write_text(
        "variant,exposed,converted\nshort,5000,585\nold,5000,500\n"
    )
    # A column of the file has another name.
    (folder / "badges.csv").write_text("variant,exposed,orders\ncontrol,100,1\nbadges,100,1\n")


def registered(folder: Path) -> dict[str, Any]:
    """The settings of what `write_register` wrote; none where it wrote nothing."""
    files = {name: folder / f"{name}.yml" for name in ("experiments", "changes")}
    return {name: path for name, path in files.items() if path.exists()}
