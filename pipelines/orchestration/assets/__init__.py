"""Dagster assets: wiring only, the work is done by the packages beside this one."""
