"""BI tools on the published file. `make bi-test` runs them: too heavy for `make test`."""
