"""A supervisor in small: `python -m tests.metering.nvml_stand_in.hold_limit WATTS` holds the job's
boards at a limit until its input ends; `restore` does what the next start does. Prints JSON."""

from __future__ import annotations

import json
import sys

from metering import power_limit
from metering.sensors.nvml import job_gpus
from tasks.running.interruption import interruptible


def main(word: str) -> object:
    if word == "restore":
        return power_limit.restore_left_behind()
    try:
        with interruptible(), power_limit.limited(job_gpus(), float(word)):
            print(json.dumps("held"), flush=True)
            sys.stdin.read()
    except power_limit.LimitError as error:
        return str(error)
    except KeyboardInterrupt as error:
        return f"ended by {error}"
    return "ended"


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])), flush=True)
