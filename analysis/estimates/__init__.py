"""Set-ups, recipes, cost accounting, metrics and their intervals."""
