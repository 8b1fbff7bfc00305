"""What a person sees of a run at the terminal: errors, progress, a summary."""
