-- The database of the platform itself is made by the image (POSTGRES_DB); Dagster's own is made here.
CREATE DATABASE dagster;
