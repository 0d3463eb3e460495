"""A funnel step's filter expression → an SQL condition over `hits`.

Filters on dimensions read their columns. Filters on event parameters read a registered
parameter's column, else the export files; filters on item parameters look into the event's items.
"""

from __future__ import annotations

from typing import Any

from pipelines.emulator.server.errors import invalid_argument, invalid_field, unimplemented
from pipelines.emulator.server.fields import Catalogue
from pipelines.emulator.server.filters import (
    Condition,
    compile_groups,
    joined,
    value_condition,
)
from pipelines.emulator.server.properties import custom_column
from pipelines.emulator.server.store import EventStore
from pipelines.emulator.server.tables import parameter_hits_sql

# Parameters that every event's row has as a column; and those of items, as `items` has them.
_EVENT_COLUMNS = {"page_location": "page_location", "page_title": "page_title"}
_ITEM_COLUMNS = frozenset(
    ("item_id", "item_name", "item_brand", "item_variant", "item_category", "item_list_name")
)


def step_condition(expression: Any, fields: Catalogue, store: EventStore) -> Condition:
    """The events that match a `FunnelFilterExpression`; ApiError for what cannot be read."""

    def leaf(one: Any) -> Condition:
        if one.DESCRIPTOR.name == "FunnelEventFilter":
            return _event(one, store)
        return value_condition(one, one.field_name, _dimension(one.field_name, fields))

    return compile_groups(expression, leaf)


def _dimension(name: str, fields: Catalogue) -> str:
    if name in fields.metrics:
        raise unimplemented("filters on metrics in funnels")
    if name not in fields.dimensions:
        raise invalid_field(name, "dimension")
    found = fields.dimensions[name]
    if found.scope == "item":
        raise unimplemented("item dimensions in funnels; item parameters it does answer")
    return found.sql


def _event(one: Any, store: EventStore) -> Condition:
    if not one.event_name:
        raise invalid_argument("The event_name of a funnelEventFilter is required.")
    named = Condition("event_name = ?", (one.event_name,))
    if not one.HasField("funnel_parameter_filter_expression"):
        return named
    parameters = compile_groups(
        one.funnel_parameter_filter_expression, lambda leaf: _parameter(leaf, store)
    )
    return joined((named, parameters), " AND ")


def _parameter(one: Any, store: EventStore) -> Condition:
    kind = one.WhichOneof("one_parameter")
    if kind == "item_parameter_name":
        return _item_parameter(one, one.item_parameter_name)
    if kind is None:
        raise invalid_argument("A funnelParameterFilter must name a parameter.")
    name = one.event_parameter_name
    registered = store.about.custom_dimensions
    if name in registered:
        column = custom_column(registered.index(name))
    elif name in _EVENT_COLUMNS:
        column = _EVENT_COLUMNS[name]
    else:
        return _unregistered(one, name, store)
    # An event without the parameter matches no filter on it.
    found = value_condition(one, name, column)
    return Condition(f"{column} <> '(not set)' AND {found.sql}", found.parameters)


def _unregistered(one: Any, name: str, store: EventStore) -> Condition:
    found = value_condition(one, name, "value")
    events = parameter_hits_sql(store.columns, name)
    return Condition(
        f"hit_id IN (SELECT hit_id FROM ({events}) WHERE value IS NOT NULL AND {found.sql})",
        (list(store.files), *found.parameters),
    )


def _item_parameter(one: Any, name: str) -> Condition:
    if name not in _ITEM_COLUMNS:
        raise unimplemented(f"the item parameter {name}")
    found = value_condition(one, name, name)
    return Condition(f"hit_id IN (SELECT hit_id FROM items WHERE {found.sql})", found.parameters)
