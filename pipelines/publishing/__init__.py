"""The published versions: what the next one holds, how it is made and chosen. No Dagster."""
