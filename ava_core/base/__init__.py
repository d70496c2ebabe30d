"""What every room stands on: errors, settings, storage, progress, the columns of tables, reports."""
