"""How the newest fetch of each table of a second source ended, for everybody who asks."""

# FROM: its row of `ops.fetches`; `problem` is why it brought nothing (NULL: it did), `loaded_at`
# when one last did; `is_left_out`: the newest run, which fetches all that sluice.yml names, did not
# ask for it.
NEWEST_FETCHES = """(
    select *, if(status = 'loaded', null, message) as problem,
        coalesce(run_id <> (select arg_max(runs.run_id, runs.started_at) from ops.runs), false)
            as is_left_out,
        max(fetched_at) filter (where status = 'loaded') over of_table as loaded_at
    from ops.fetches
    window of_table as (partition by source, property_id, table_name)
    qualify row_number() over (of_table order by fetched_at desc) = 1
)"""
