"""Statistics, pure functions on arrays and frames: no Dagster, no database, no configuration."""
