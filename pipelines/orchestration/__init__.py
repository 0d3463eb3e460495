"""All of Dagster: assets, gates, jobs, schedules and the nightly run. Wiring, no logic."""
