"""How the newest fetch of each table of a second source ended, for everybody who asks."""

# FROM: its row of `ops.fetches`; `problem` is why it brought nothing (NULL: it did), `loaded_at`
# when one last did; `is_left_out`: sluice.yml does not name it any more.
NEWEST_FETCHES = """(
    select *, status = 'left_out' as is_left_out,
        if(status in ('loaded', 'left_out'), null, message) as problem,
        max(fetched_at) filter (where status = 'loaded') over of_table as loaded_at
    from ops.fetches
    window of_table as (partition by source, property_id, table_name)
    qualify row_number() over (of_table order by fetched_at desc) = 1
)"""
