"""`make docs`: everything that is made from the YAML of the marts, and dbt's own site."""

from __future__ import annotations

from pipelines.docs import metric_rows, metrics, superset
from pipelines.docs.site import build_site


def main() -> None:
    """Write the documents that are committed, then the site, which is not."""
    document = metrics.read_document()
    metrics.TARGET.write_text(metrics.render(document), encoding="utf-8")
    rows = metric_rows.to_csv(metric_rows.metric_rows(document))
    metric_rows.TARGET.write_text(rows, encoding="utf-8")
    for path, text in superset.dataset_files().items():
        (superset.EXPORT / path).parent.mkdir(parents=True, exist_ok=True)
        (superset.EXPORT / path).write_text(text, encoding="utf-8")
    print(f"dbt's documentation: {build_site()}, open it in a browser.")


if __name__ == "__main__":
    main()
