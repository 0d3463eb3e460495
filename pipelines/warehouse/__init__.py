"""The build database and the published versions. No Dagster in here.

`connect` opens and prepares, `load` replaces partitions, `publish` and `versions` make and
choose what readers see.
"""
