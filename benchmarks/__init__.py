"""Claims of speed, each a ratio measured in one run. `make bench` runs them all."""
