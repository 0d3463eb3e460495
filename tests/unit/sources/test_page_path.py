"""What is kept of an address: its path, and nobody's data."""

import pytest

from pipelines.sources.page_path import page_path


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("https://www.shop.example/products/a?utm_source=x&email=a@b.c", "/products/a"),
        ("http://shop.example", "/"),
        ("https://shop.example?q=x", "/"),
        ("//shop.example/cart#top", "/cart"),
        ("shop.example/cart", "/cart"),
        ("shop.example", "/"),
        ("/checkout/", "/checkout/"),
        ("?q=shoes", "/"),
        ("/basket;jsessionid=1F2A", "/basket"),
        ("https://user:secret@shop.example/cart", "/cart"),
        ("/account/jane@mail.example/orders", "/account/(removed)/orders"),
        ("/account/jane%40mail.example", "/account/(removed)"),
        ("/ä/%C3%A4", "/ä/%C3%A4"),
        ("Checkout page", None),
        ("", None),
        ("index.html", None),
        ("product.php?id=7", None),
        ("shop.example/product.php?id=7", "/product.php"),
        ("javascript:void(0)", None),
        ("/a\nb", None),
    ],
)
def test_path(address: str, path: str | None) -> None:
    assert page_path(address) == path
