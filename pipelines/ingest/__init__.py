"""A run's pulls: which days, what is asked for them, and of whom; and the backfill. No Dagster."""
