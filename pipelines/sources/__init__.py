"""Second sources of a property: a folder each (`shopify`, `clarity`, `heatmaps`), all of one shape.

A source is configured under its own name in `sluice.yml` (one entry a property) and is a `Source`
(contract.py): it names its raw tables and fetches one of them at a time, as audited Arrow. What
was fetched replaces whole partitions in one transaction, and every fetch, also one that failed, is
a row of `ops.fetches` (warehouse/fetches.py). `night.py` does that for all of them and raises
nothing: a second source never blocks GA4's night.

What hangs on a source, for the next one: a section in config/second_sources.py and its name there;
its class in `configured.py`; its raw tables in dbt_project/models/staging/<name>/_sources.yml with
a view each, and the folder's tag <name> in dbt_project.yml, by which its models are built only
where some property has the source; its slices in data_checks/suites/second_sources.py; a doctor's
step in monitoring/doctor/<name>_steps.py; its rows and section of the page. No Dagster here: the
assets are orchestration/assets/source_assets.py.
"""
