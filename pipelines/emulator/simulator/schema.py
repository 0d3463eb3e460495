"""The Arrow schema of an events file: Google's BigQuery export schema, column for column."""

from __future__ import annotations

import pyarrow as pa


def _struct(**types: pa.DataType) -> pa.DataType:
    return pa.struct([pa.field(name, kind) for name, kind in types.items()])


_TEXT, _INT, _FLOAT = pa.string(), pa.int64(), pa.float64()

PARAM_VALUE = _struct(string_value=_TEXT, int_value=_INT, float_value=_FLOAT, double_value=_FLOAT)
PARAM = _struct(key=_TEXT, value=PARAM_VALUE)
_USER_PROPERTY = _struct(
    key=_TEXT,
    value=_struct(
        string_value=_TEXT,
        int_value=_INT,
        float_value=_FLOAT,
        double_value=_FLOAT,
        set_timestamp_micros=_INT,
    ),
)
DEVICE = _struct(
    category=_TEXT,
    mobile_brand_name=_TEXT,
    mobile_model_name=_TEXT,
    mobile_marketing_name=_TEXT,
    mobile_os_hardware_model=_TEXT,
    operating_system=_TEXT,
    operating_system_version=_TEXT,
    vendor_id=_TEXT,
    advertising_id=_TEXT,
    language=_TEXT,
    is_limited_ad_tracking=_TEXT,
    time_zone_offset_seconds=_INT,
    web_info=_struct(browser=_TEXT, browser_version=_TEXT),
)
GEO = _struct(
    continent=_TEXT, sub_continent=_TEXT, country=_TEXT, region=_TEXT, city=_TEXT, metro=_TEXT
)
FIRST_SOURCE = _struct(medium=_TEXT, name=_TEXT, source=_TEXT)
COLLECTED_SOURCE = _struct(
    manual_campaign_id=_TEXT,
    manual_campaign_name=_TEXT,
    manual_source=_TEXT,
    manual_medium=_TEXT,
    manual_term=_TEXT,
    manual_content=_TEXT,
    gclid=_TEXT,
    dclid=_TEXT,
    srsltid=_TEXT,
)
LAST_CLICK = _struct(
    cross_channel_campaign=_struct(
        source=_TEXT, medium=_TEXT, campaign_name=_TEXT, default_channel_group=_TEXT
    )
)
ECOMMERCE = _struct(
    total_item_quantity=_INT,
    purchase_revenue_in_usd=_FLOAT,
    purchase_revenue=_FLOAT,
    refund_value_in_usd=_FLOAT,
    refund_value=_FLOAT,
    shipping_value_in_usd=_FLOAT,
    shipping_value=_FLOAT,
    tax_value_in_usd=_FLOAT,
    tax_value=_FLOAT,
    unique_items=_INT,
    transaction_id=_TEXT,
)
ITEM = _struct(
    item_id=_TEXT,
    item_name=_TEXT,
    item_brand=_TEXT,
    item_variant=_TEXT,
    item_category=_TEXT,
    item_category2=_TEXT,
    item_category3=_TEXT,
    item_category4=_TEXT,
    item_category5=_TEXT,
    price_in_usd=_FLOAT,
    price=_FLOAT,
    quantity=_INT,
    item_revenue_in_usd=_FLOAT,
    item_revenue=_FLOAT,
    item_refund_in_usd=_FLOAT,
    item_refund=_FLOAT,
    coupon=_TEXT,
    affiliation=_TEXT,
    location_id=_TEXT,
    item_list_id=_TEXT,
    item_list_name=_TEXT,
    item_list_index=_TEXT,
    promotion_id=_TEXT,
    promotion_name=_TEXT,
    creative_name=_TEXT,
    creative_slot=_TEXT,
)

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
        (
            "privacy_info",
            _struct(analytics_storage=_TEXT, ads_storage=_TEXT, uses_transient_token=_TEXT),
        ),
        ("user_properties", pa.list_(_USER_PROPERTY)),
        ("user_first_touch_timestamp", _INT),
        ("user_ltv", _struct(revenue=_FLOAT, currency=_TEXT)),
        ("device", DEVICE),
        ("geo", GEO),
        (
            "app_info",
            _struct(
                id=_TEXT,
                version=_TEXT,
                install_store=_TEXT,
                firebase_app_id=_TEXT,
                install_source=_TEXT,
            ),
        ),
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
