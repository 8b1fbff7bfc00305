"""One module per source of readings: NVML, AMD SMI, RAPL, CodeCarbon, the load of the host."""
