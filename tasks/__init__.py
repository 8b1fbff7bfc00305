"""What runs: the plan, the tasks, the data they read, and the one function that executes a run."""
