"""What the page reads of a property of which nothing is known."""

from pipelines.report.page_data import PropertyData, Window
from pipelines.report.rows.changes import Judged
from pipelines.report.rows.properties import Shop
from pipelines.report.rows.quality import Growing


def empty_window(days: int) -> Window:
    """No row of any kind."""
    return Window(
        days=days, steps=(), compared=(), shop_figures=(), micros=(), sales=None,
        ends=(), carts=None, products=(), pages=(),
    )  # fmt: skip


EMPTY = PropertyData(
    shop=Shop("1", None, None, None), held_back=None,
    month=empty_window(28), week=empty_window(7), findings=(), finding_days=(),
    finding_details=(), recordings=(), has_findings=True, friction=(),
    friction_of_findings=(), snapshots=None, clicks=(), scrolls=(), refused_heatmaps=(),
    sales_weeks=(), step_weeks=(), factors=(), shifts=(), changes=(), experiments=(), alerts=(),
    judged=Judged(0, 0, 0, None, None, None), diagnoses=(),
    coverage=(), silences=(), suggestions=(), completeness=(), growing=Growing(0, None),
    doubtful_days=(), gates=(), warnings=(),
)  # fmt: skip
