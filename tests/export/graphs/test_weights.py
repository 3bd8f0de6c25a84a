from __future__ import annotations

import torch

from mien.manifest import Bundle
from mien_export.families.family import Trained
from mien_export.families.oneshot_live.weights import read_weights


def test_a_bundle_gives_the_weights_back_that_it_was_made_of(distinct: Trained, distinct_bundle: Bundle) -> None:
    size, weights = read_weights(distinct_bundle.folder)
    assert size == "xs"
    own = distinct.networks.state_dict()
    assert weights.keys() == own.keys()
    for name, value in own.items():
        torch.testing.assert_close(weights[name], value, atol=1e-6, rtol=0)  # 1 + gamma was rounded
