"""Documents that are made from the project's own YAML; no Dagster, no network."""
