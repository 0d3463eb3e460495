"""The sections of the page: each module turns rows of one property into text, charts and tables."""
