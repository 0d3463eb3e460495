"""What an experiment is read from: files of outcomes, and rates of the marts. No Dagster."""
