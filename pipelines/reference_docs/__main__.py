"""`make docs`: everything that is made from YAML and the tracking plan, and dbt's own site."""

from __future__ import annotations

from pipelines.reference_docs import metric_seed, metrics_document, tracking_document
from pipelines.reference_docs.dbt_site import build_site


def main() -> None:
    """Write the documents that are committed, then the site, which is not."""
    document = metrics_document.read_document()
    metrics_document.TARGET.write_text(metrics_document.render(document), encoding="utf-8")
    rows = metric_seed.to_csv(metric_seed.metric_rows(document))
    metric_seed.TARGET.write_text(rows, encoding="utf-8")
    target = tracking_document.TARGET
    target.write_text(tracking_document.render(target.read_text(encoding="utf-8")), "utf-8")
    print(f"dbt's documentation: {build_site()}, open it in a browser.")


if __name__ == "__main__":
    main()
