"""The Arrow schema of an events file: Google's BigQuery export schema, column for column."""

from __future__ import annotations

import pyarrow as pa


def _struct(**types: pa.DataType) -> pa.DataType:
    return pa.struct([pa.field(name, kind) for name, kind in types.items()])


def _all(kind: pa.DataType, names: str) -> dict[str, pa.DataType]:
    """Fields of one type; `names` with blanks between them."""
    return dict.fromkeys(names.split(), kind)


_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()

PARAM_VALUE = _struct(string_value=_TEXT, int_value=_INT, float_value=_FLOAT, double_value=_FLOAT)
PARAM = _struct(key=_TEXT, value=PARAM_VALUE)
_USER_PROPERTY = _struct(
    key=_TEXT, value=pa.struct([*PARAM_VALUE, pa.field("set_timestamp_micros", _INT)])
)
DEVICE = _struct(
    **_all(_TEXT, "category mobile_brand_name mobile_model_name mobile_marketing_name"),
    **_all(_TEXT, "mobile_os_hardware_model operating_system operating_system_version vendor_id"),
    **_all(_TEXT, "advertising_id language is_limited_ad_tracking"),
    time_zone_offset_seconds=_INT,
    web_info=_struct(browser=_TEXT, browser_version=_TEXT),
)
GEO = _struct(**_all(_TEXT, "continent sub_continent country region city metro"))
FIRST_SOURCE = _struct(medium=_TEXT, name=_TEXT, source=_TEXT)
COLLECTED_SOURCE = _struct(
    **_all(_TEXT, "manual_campaign_id manual_campaign_name manual_source manual_medium"),
    **_all(_TEXT, "manual_term manual_content gclid dclid srsltid"),
)
LAST_CLICK = _struct(
    cross_channel_campaign=_struct(
        **_all(_TEXT, "source medium campaign_name default_channel_group")
    )
)
ECOMMERCE = _struct(
    total_item_quantity=_INT,
    **_all(_FLOAT, "purchase_revenue_in_usd purchase_revenue refund_value_in_usd refund_value"),
    **_all(_FLOAT, "shipping_value_in_usd shipping_value tax_value_in_usd tax_value"),
    unique_items=_INT,
    transaction_id=_TEXT,
)
ITEM = _struct(
    **_all(_TEXT, "item_id item_name item_brand item_variant item_category item_category2"),
    **_all(_TEXT, "item_category3 item_category4 item_category5"),
    price_in_usd=_FLOAT,
    price=_FLOAT,
    quantity=_INT,
    **_all(_FLOAT, "item_revenue_in_usd item_revenue item_refund_in_usd item_refund"),
    **_all(_TEXT, "coupon affiliation location_id item_list_id item_list_name item_list_index"),
    **_all(_TEXT, "promotion_id promotion_name creative_name creative_slot"),
)
_PRIVACY = _struct(**_all(_TEXT, "analytics_storage ads_storage uses_transient_token"))
_APP = _struct(**_all(_TEXT, "id version install_store firebase_app_id install_source"))

EVENT_SCHEMA = pa.schema(
    [
        ("event_date", _TEXT),
        ("event_timestamp", _INT),
        ("event_name", _TEXT),
        ("event_params", pa.list_(PARAM)),
        ("event_previous_timestamp", _INT),
        ("event_value_in_usd", _FLOAT),
        ("event_bundle_sequence_id", _INT),
        ("event_server_timestamp_offset", _INT),
        ("user_id", _TEXT),
        ("user_pseudo_id", _TEXT),
        ("privacy_info", _PRIVACY),
        ("user_properties", pa.list_(_USER_PROPERTY)),
        ("user_first_touch_timestamp", _INT),
        ("user_ltv", _struct(revenue=_FLOAT, currency=_TEXT)),
        ("device", DEVICE),
        ("geo", GEO),
        ("app_info", _APP),
        ("traffic_source", FIRST_SOURCE),
        ("stream_id", _TEXT),
        ("platform", _TEXT),
        ("event_dimensions", _struct(hostname=_TEXT)),
        ("ecommerce", ECOMMERCE),
        ("items", pa.list_(ITEM)),
        ("collected_traffic_source", COLLECTED_SOURCE),
        ("session_traffic_source_last_click", LAST_CLICK),
        ("is_active_user", pa.bool_()),
        ("batch_event_index", _INT),
        ("batch_ordering_id", _INT),
        ("batch_page_id", _INT),
    ]
)
