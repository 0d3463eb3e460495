"""Shopify: sessions, sales and abandoned checkouts by the Admin API, or sessions by CSV drops."""
