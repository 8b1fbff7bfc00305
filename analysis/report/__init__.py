"""The report: one HTML file that works without a network and holds everything it shows."""
