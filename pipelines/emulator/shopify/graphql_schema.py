"""The part of the Admin GraphQL schema that is answered, personal data included: that a client
asks for none of them is its own doing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from graphql import GraphQLError, GraphQLSchema, build_schema

from pipelines.emulator.shopify.shop_counts import ShopCounts

SDL = """
scalar JSON
scalar DateTime
scalar Decimal
scalar URL
enum AbandonedCheckoutSortKeys {
  CHECKOUT_ID CREATED_AT CUSTOMER_NAME ID RELEVANCE TOTAL_PRICE
}
type ShopifyqlTableDataColumn { name: String! dataType: String! displayName: String! }
type ShopifyqlTableData { columns: [ShopifyqlTableDataColumn!]! rows: JSON! }
type ShopifyqlQueryResponse { tableData: ShopifyqlTableData parseErrors: [String!]! }
type MoneyV2 { amount: Decimal! currencyCode: String! }
type MoneyBag { shopMoney: MoneyV2! presentmentMoney: MoneyV2! }
type Customer { email: String }
type AbandonedCheckout {
  id: ID! createdAt: DateTime! updatedAt: DateTime! completedAt: DateTime
  totalPriceSet: MoneyBag! abandonedCheckoutUrl: URL! customer: Customer note: String!
}
type PageInfo { hasNextPage: Boolean! endCursor: String }
type AbandonedCheckoutConnection { nodes: [AbandonedCheckout!]! pageInfo: PageInfo! }
type Shop { name: String! ianaTimezone: String! currencyCode: String! myshopifyDomain: String! }
type AccessScope { handle: String! }
type AppInstallation { accessScopes: [AccessScope!]! }
type QueryRoot {
  shop: Shop!
  currentAppInstallation: AppInstallation!
  shopifyqlQuery(query: String!): ShopifyqlQueryResponse
  abandonedCheckouts(
    first: Int, after: String, query: String, sortKey: AbandonedCheckoutSortKeys, reverse: Boolean
  ): AbandonedCheckoutConnection!
}
schema { query: QueryRoot }
"""
MOST_PAGE = 250
SCOPES = ("read_reports", "read_orders")
_CREATED = re.compile(r"created_at:(>=|<)'?([0-9T:+Z.-]+)'?")


def make_schema() -> GraphQLSchema:
    """The schema; what it answers with is the root value."""
    return build_schema(SDL)


def root_value(
    shop: str, counts: ShopCounts, shopifyql: Callable[[str], dict[str, Any]]
) -> dict[str, Any]:
    """Resolvers of the root's fields."""
    return {
        "shop": {
            "name": "Demo shop",
            "ianaTimezone": str(counts.zone),
            "currencyCode": counts.currency,
            "myshopifyDomain": shop,
        },
        "currentAppInstallation": {"accessScopes": [{"handle": name} for name in SCOPES]},
        "shopifyqlQuery": lambda info, query: shopifyql(query),
        "abandonedCheckouts": lambda info, **arguments: _page(counts.checkouts, **arguments),
    }


def _page(
    checkouts: Sequence[Mapping[str, Any]],
    first: int | None = None,
    after: str | None = None,
    query: str | None = None,
    **_: Any,
) -> dict[str, Any]:
    if first is None or not 0 < first <= MOST_PAGE:
        raise GraphQLError(f"you must provide first, from 1 to {MOST_PAGE}")
    chosen = [one for one in checkouts if _is_asked(one["created"], query or "")]
    start = int(after) if after else 0
    nodes = [_node(one) for one in chosen[start : start + first]]
    end = start + len(nodes)
    has_more = end < len(chosen)
    return {"nodes": nodes, "pageInfo": {"hasNextPage": has_more, "endCursor": str(end)}}


def _is_asked(created: datetime, query: str) -> bool:
    for sign, text in _CREATED.findall(query):
        moment = datetime.fromisoformat(text)
        if (created < moment) if sign == ">=" else (created >= moment):
            return False
    return True


def _node(one: Mapping[str, Any]) -> dict[str, Any]:
    money = {"amount": one["amount"], "currencyCode": one["currency"]}
    created = f"{one['created'].astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    completed = one["completed"]
    return {
        "id": one["id"],
        "createdAt": created,
        "updatedAt": created,
        "completedAt": completed and f"{completed.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "totalPriceSet": {"shopMoney": money, "presentmentMoney": money},
        "abandonedCheckoutUrl": "https://example.com/recover",
        "customer": {"email": one["email"]},
        "note": "",
    }
