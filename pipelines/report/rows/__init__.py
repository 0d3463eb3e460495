"""What the page reads from a published version: a frozen class, a field a column, beside its query.

Rates and shares are 0-1, probabilities too; money is in `currency`, or orders where that is None.
"""
