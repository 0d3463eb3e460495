"""Why a stage leaks: the playbook's conditions, where they hold, and the words for the evidence.

What belongs here: the grammar of `dbt_project/seeds/diagnosis_playbook.csv`, its validation, and
its evaluation over a frame of metric levels, which the dbt model `int_diagnosis__fired` calls. The
levels themselves are SQL. No Dagster, no network, no database.
"""
