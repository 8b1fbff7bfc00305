"""One run from plan to record: execution, attempts, how it ends, the device."""
