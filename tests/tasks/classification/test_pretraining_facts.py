"""What a self-supervised step holds and computes is what its method has."""

from __future__ import annotations

import pytest

from tasks.classification import pretraining
from tests.tasks.classification.test_stages import step_of

# millions; MMPretrain's metafiles (MAE, BEiT v2 with its tokenizer), open_clip's model profile
KNOWN = {"vit_b_mae": 111.907840, "beitv2_b": 192.811376, "clip_b16": 149.620737}


def _vit_gmacs(layers: int, width: int, tokens: int) -> float:
    """A transformer's matrix products: 12 width^2 a token, and attention; Vaswani 2017, 3.2."""
    return layers * (12 * width**2 * tokens + 2 * tokens**2 * width) / 1e9


EMBEDDING = 196 * 768 * 768 / 1e9  # patches of 16 x 16 x 3 pixels
# He 2022, section 3: 49 of 196 patches and the class token are encoded, all are decoded
MAE = (
    EMBEDDING
    + _vit_gmacs(12, 768, 50)
    + _vit_gmacs(8, 512, 197)
    + (50 * 768 * 512 + 197 * 512 * 768) / 1e9
)
# Peng 2022: twelve layers, two more for the class token's loss, a tokenizer of twelve; both
# losses choose among 8,192 tokens for 75 patches
BEIT_V2 = 2 * EMBEDDING + _vit_gmacs(26, 768, 197) + 2 * 75 * 768 * 8192 / 1e9
# Radford 2021, table 20: an image tower, and a text tower of 12 layers of 512 on 77 tokens
CLIP = EMBEDDING + _vit_gmacs(12, 768, 197) + _vit_gmacs(12, 512, 77)
KNOWN_GMACS = {"vit_b_mae": MAE, "beitv2_b": BEIT_V2, "clip_b16": CLIP}


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_parameters_and_gmacs_are_those_that_the_method_has(compose, name):
    plan = compose(f"model={name}", "stage=pretrain")
    facts = pretraining.facts(plan, step_of(plan))
    assert facts.params_m == pytest.approx(KNOWN[name], rel=1e-4)
    assert facts.gmacs == pytest.approx(KNOWN_GMACS[name], rel=0.01)
