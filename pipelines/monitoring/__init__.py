"""How a home is: its status, whom it tells, the doctor, the lock and the logs. No Dagster."""
