"""Whether what was measured is a row of the paper: its network, on its data set."""

from __future__ import annotations

from analysis.published import facts as published
from metering import catalogue
from metering.setup import DataSetUp, SetUp

PARAMETERS_WITHIN = 0.01
"""A network whose number of parameters differs from the paper's row by a larger share is
another network."""


def papers_row(
    claimed: str | None,
    dataset: str,
    setup: SetUp,
    params_m: float | None,
    *,
    is_own_network: bool = True,
) -> tuple[str | None, str]:
    """The paper's row that a run may stand in, or None with the reason (empty where it never
    claimed one).

    claimed: the row that the record names; dataset: display name of its set; params_m: of the
    network as it was built, millions, None where no record says; is_own_network: False where only
    pre-training was measured, whose network has another head or a decoder.
    """
    if claimed is None:
        return None, ""
    if not is_public_set(setup.asked.data):
        return None, f"data of one's own: no row of the paper, though the network is {claimed}'s"
    built = published.value(claimed, dataset, "params_m_built")
    if built is None or not is_own_network:
        return claimed, ""
    if params_m is None:
        return None, (
            f"not shown to be the paper's {claimed}, a network of {built:.4g} M parameters: the "
            "record does not say how many it has"
        )
    if abs(params_m / built - 1) > PARAMETERS_WITHIN:
        return None, (
            f"another network than the paper's {claimed}: {params_m:.4g} M parameters, "
            f"not {built:.4g} M"
        )
    return claimed, ""


def is_public_set(data: DataSetUp) -> bool:
    """Whether the images are a public set's, or files that stand in for its cost."""
    known = catalogue.data_set(data.name)
    if known is not None and known.stands_in_for is not None:
        known = catalogue.data_set(known.stands_in_for)
    if known is None or data.origin == "own":
        return False
    return data.num_classes in (None, known.num_classes)
