"""What the numbers mean: records and published facts to tables, figures and a report."""
