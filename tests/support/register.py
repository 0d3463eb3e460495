"""A register for a shop that a fixture publishes, with outcomes worked out by hand."""

from datetime import date, timedelta
from pathlib import Path

FIRST = date(2026, 6, 1)
_EXPERIMENTS = f"""\
button:
  hypothesis: A green button is seen sooner
  key: add_to_cart
  device: mobile
  start: {FIRST}
  variants: [control, green]
  primary_metric: add_to_cart
  smallest_effect: 0.02
  outcomes: button.csv
headline:
  hypothesis: A shorter headline keeps visitors
  stage: home
  start: 2026-05-01
  end: 2026-05-31
  variants: [old, short]
  primary_metric: product_view
  smallest_effect: 0.03
  outcomes: headline.csv
badges:
  hypothesis: Trust badges help
  stage: checkout
  start: 2026-07-01
  variants: [control, badges]
  primary_metric: purchase
  outcomes: badges.csv
"""
_CHANGES = """\
form:
  description: One page instead of three
  stage: checkout
  elements: [form, text]
  start: 2026-07-20
sale:
  description: 20 % on everything
  stage: site
  device: desktop
  start: 2026-06-10
  end: 2026-06-10
"""


def write_register(folder: Path) -> dict[str, Path]:
    """Write both files and the outcomes; returns them as settings."""
    folder.mkdir(exist_ok=True)
    (folder / "experiments.yml").write_text(_EXPERIMENTS)
    (folder / "changes.yml").write_text(_CHANGES)
    rows = ["date,variant,exposed,converted,macro_converted"]
    for day in range(28):
        rows += [
            f"{FIRST + timedelta(day)},control,400,32,4",
            f"{FIRST + timedelta(day)},green,400,48,4",
        ]
    (folder / "button.csv").write_text("\n".join(rows))
    # Reference case of docs/experiments.md, as totals; the new variant stands first.
    (folder / "headline.csv").write_text(
        "variant,exposed,converted\nshort,5000,585\nold,5000,500\n"
    )
    # A column of the file has another name.
    (folder / "badges.csv").write_text("variant,exposed,orders\ncontrol,100,1\nbadges,100,1\n")
    return registered(folder)


def registered(folder: Path) -> dict[str, Path]:
    """The settings of what `write_register` wrote."""
    return {name: folder / f"{name}.yml" for name in ("experiments", "changes")}
