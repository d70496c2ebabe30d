"""Running the platform on one machine: Dagster's instance, services, waiting for runs, the demonstration."""
