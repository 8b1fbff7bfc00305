"""One run on one page, and runs beside each other, as text."""
