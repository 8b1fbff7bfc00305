"""What is measured: sensors, windows, host facts and the record. Imports nothing of ours."""
