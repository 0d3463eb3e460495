"""Every query of docs/metrics.md runs on the published file and answers something."""

import pytest

from pipelines.config.settings import Settings
from pipelines.reference_docs.metrics_document import read_document
from tests.e2e.shop import published_rows

DOCUMENT = read_document()
QUERIES = {
    **{f"metric: {one.name}": one.query for one in DOCUMENT.metrics},
    **dict(DOCUMENT.questions),
}


@pytest.mark.parametrize("name", QUERIES)
def test_the_query_answers_on_the_published_file(name: str, published_home: Settings) -> None:
    rows = published_rows(published_home, QUERIES[name])
    assert rows
    assert any(value is not None for row in rows for value in row)
