"""`python -m tests.fuzz report` or `funnel`: atheris against the decoders of GA4's answers.

Not a part of `make test`: atheris is no dependency (`pip install atheris`), and has no end. What it
finds belongs into tests/unit/ga4/test_fuzzed_answers.py, which has the checks.
"""
