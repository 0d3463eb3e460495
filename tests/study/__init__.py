"""Studies: long runs for people, not part of `make test`."""
