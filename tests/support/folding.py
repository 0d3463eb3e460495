"""What GA4 says of an answer in which it folded rows into `(other)`."""

from typing import Any


def folded(answer: Any) -> None:
    """Marks the answer: its `(other)` is GA4's own."""
    answer.metadata.data_loss_from_other_row = True
