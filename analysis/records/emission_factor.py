"""Which emission factors can be an electricity supply's.

Bounds, kg CO2eq per kWh: between the cleanest supply that CodeCarbon 3.3.2 lists (2 g, a cloud
region; cloud/impact.csv) with a margin, and more than the dirtiest country (Turkmenistan, 1,306 g;
global_energy_mix.json). Grams taken for kilograms, or kilograms for tonnes, lie outside.
"""

from __future__ import annotations

LOG_SOURCE = "the CodeCarbon log"
"""Of a factor that the emissions and the energy of an imported log give."""
LEAST_KG_PER_KWH = 0.0005
MOST_KG_PER_KWH = 1.5


def is_possible(kg_per_kwh: float) -> bool:
    return LEAST_KG_PER_KWH <= kg_per_kwh <= MOST_KG_PER_KWH
