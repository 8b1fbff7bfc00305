"""DataFrames of the tables, and how they are written."""
