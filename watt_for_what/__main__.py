"""`python -m watt_for_what`: the same as the command `watt`."""

from watt_for_what.command import main

raise SystemExit(main())
