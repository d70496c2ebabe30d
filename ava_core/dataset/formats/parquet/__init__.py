"""Labels as Parquet tables."""
