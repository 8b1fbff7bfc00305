"""What a person types: `python -m analysis COMMAND`."""
