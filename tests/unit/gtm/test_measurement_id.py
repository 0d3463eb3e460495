"""A measurement id, and what is pasted in its place."""

import pytest

from pipelines.errors import ConfigError
from pipelines.gtm.measurement_id import read_measurement_id
from pipelines.wording import shown

REST = (
    ": give that of the shop's web stream, G- and ten capital letters or digits, from GA4's "
    "Admin > Data streams."
)


@pytest.mark.parametrize("text", ["G-8KQ2PD9VBN", "G-E9X8A4Z0FR", "G-1A2B3C4D5E", "G-0000000ABC"])
def test_a_drawn_one_is_taken_as_it_is(text: str) -> None:
    assert read_measurement_id(text) == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("G-XXXXXXXXXX", "a placeholder"),
        ("G-XXXXXXX", "a placeholder"),
        ("g-xxxxxxxxxx", "a placeholder"),
        ("G-XXXXXX1234", "a placeholder"),
        ("G-0000000000", "a placeholder"),
        ("G-ABABABABAB", "a placeholder"),
        ("G-1234567890", "a placeholder"),
        ("G-123456", "a placeholder"),
        ("G-ABCDEFGHIJ", "a placeholder"),
        ("G-YOUR_ID", "a placeholder"),
        ("G-YOURID1234", "a placeholder"),
        ("G-EXAMPLE123", "a placeholder"),
        ("G-MEASUREMENT_ID", "a placeholder"),
        ("GTM-5NR8K7Q", "the id of a Tag Manager container"),
        ("gtm-5nr8k7q", "the id of a Tag Manager container"),
        ("UA-1234567-1", "the id of a Universal Analytics property, which counts no more"),
        ("AW-123456789", "the id of a Google Ads account"),
        ("DC-1234567", "the id of a Floodlight account"),
        ("GT-5NR8K7Q", "the id of a Google tag"),
        ("123456789", "the id of a property or a stream"),
        ("G-8KQ2PD9VB", "no measurement id"),
        ("G-8KQ2PD9VBNM", "no measurement id"),
        ("g-8kq2pd9vbn", "no measurement id"),
        ("G-8KQ2PD9VB ", "no measurement id"),
        ("G-8KQ2PD9VB\n", "no measurement id"),
        ("G-8KQ2PD9VBN\n", "no measurement id"),
        ("{{G-8KQ2PD9VBN}}", "no measurement id"),
        ("G-8KQ2PD٩VBN", "no measurement id"),
        ("G8KQ2PD9VBN", "no measurement id"),
        ("", "no measurement id"),
    ],
)
def test_anything_else_is_refused_in_a_sentence(text: str, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_measurement_id(text)
    assert str(caught.value) == f"--measurement-id {shown(text)} is {why}{REST}"
