"""Second sources of a property: a folder each (`shopify`, `clarity`, `heatmaps`), all of one shape.

A source is configured under its own name in `sluice.yml` (one entry a property) and is a `Source`
(contract.py): it names its raw tables and fetches one of them at a time, as audited Arrow. What
was fetched replaces whole partitions in one transaction, and every fetch, also one that failed, is
a row of `ops.fetches` (warehouse/fetches.py). `night.py` does that for all of them and raises
nothing: a second source never blocks GA4's night.

What hangs on a source, for the next one, in this order:

1. a section in config/second_sources.py and its name there; its field in config/settings.py, an
   example in config/environment.py, a commented entry in sluice.example.yml;
2. its class and raw tables here, in both lists of `configured.py`; its name where
   warehouse/ops_tables.py describes `source`;
3. its raw tables in dbt_project/models/staging/<name>/_sources.yml with a view each, what people
   read in models/marts/sources/<name>, and the tag <name> of both folders in dbt_project.yml, by
   which its models are built only where some property has the source;
4. its slices in data_checks/suites/second_sources.py;
5. a doctor's step in monitoring/doctor/<name>_steps.py, called in doctor_run.py;
6. of the page its rows in report/rows, read in queries.py into page_data.py, and its section in
   report/sections, named in page.py;
7. a page in docs.

No Dagster here: the assets are orchestration/assets/source_assets.py.
"""
