"""Numbers that a record may hold; what is outside is damage."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

MOST = 2**63
"""A count above this is damage: no run has so many samples, blocks or devices."""

NonNegative = Annotated[FiniteFloat, Field(ge=0, le=MOST)]
Positive = Annotated[FiniteFloat, Field(gt=0, le=MOST)]
Count = Annotated[int, Field(ge=0, le=MOST)]
Whole = Annotated[int, Field(ge=1, le=MOST)]
