"""A register for shops that a fixture publishes, with outcomes worked out by hand."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.config.register import read_register
from pipelines.config.settings import Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.warehouse.change_register import remember_register
from pipelines.warehouse.connect import build_database

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
_TAKEN_OUT = """colour:
  property: "{shop}"
  hypothesis: A red button is seen sooner
  stage: product
  device: tablet
  start: 2026-05-02
  variants: [control, red]
  primary_metric: add_to_cart
  smallest_effect: 0.03
  outcomes: colour.csv
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


def remember_earlier(settings: Settings, shop: str) -> None:
    """What a night of June read: one more experiment, and another smallest effect of `button`."""
    assert settings.experiments is not None
    path, today = settings.experiments.with_name("earlier.yml"), date(2026, 6, 20)
    text = settings.experiments.read_text().replace("effect: 0.02", "effect: 0.04")
    path.write_text(text + _TAKEN_OUT.format(shop=shop))
    # The same case, of variants of its own.
    path.with_name("colour.csv").write_text(
        "variant,exposed,converted\ncontrol,5000,500\nred,5000,585\n"
    )
    earlier = settings.model_copy(update={"experiments": path, "changes": None})
    with build_database(settings.build_db) as connection:
        remember_register(connection, read_register(earlier, load_plan(), today), today)


def registered(folder: Path) -> dict[str, Any]:
    """The settings of what `write_register` wrote; none where it wrote nothing."""
    files = {name: folder / f"{name}.yml" for name in ("experiments", "changes")}
    return {name: path for name, path in files.items() if path.exists()}
