"""The build database: `connect` opens and prepares it, `load` replaces partitions. No Dagster."""
