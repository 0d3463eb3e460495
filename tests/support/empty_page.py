"""What the page reads of a property of which nothing is known."""

from pipelines.report.page_data import Judged, PropertyData, Shop

EMPTY = PropertyData(
    shop=Shop("1", None, None, None, None, None, None, 0), run=None, held_back=None, steps=(),
    benchmarks=(), leaks=(), micros=(), factors=(), shifts=(), alerts=(),
    judged=Judged(0, 0, 0, None, None, None), diagnoses=(), has_diagnosis=True, coverage=(),
    suggestions=(), completeness=(), doubtful_days=(), gates=(), warnings=(), findings=(),
)  # fmt: skip
