from __future__ import annotations

from pathlib import Path

import torch

from mien_export.families.family import Trained
from mien_export.families.oneshot_live.family import LIVE
from mien_export.families.oneshot_live.step import LiveNetworks
from mien_export.families.oneshot_live.weights import read_weights
from mien_export.graphs.writing import Words, write_bundle


def test_a_bundle_gives_the_weights_back_that_it_was_made_of(tmp_path: Path) -> None:
    torch.manual_seed(7)
    networks = LiveNetworks("xs").eval().requires_grad_(False)
    for name, value in networks.named_parameters():
        if name.endswith("bias"):  # which begin alike; what is alike is written once
            value.normal_(0, 0.1)
    words = Words("oneshot-live", "Apache-2.0", "0", "unknown", "nothing", "none")
    bundle = write_bundle(tmp_path, Trained(LIVE, networks, "xs", 0, 7), words, ("fp32",), None, 1, print)
    size, weights = read_weights(bundle.folder)
    assert size == "xs"
    own = networks.state_dict()
    assert weights.keys() == own.keys()
    for name, value in own.items():
        torch.testing.assert_close(weights[name], value, atol=1e-6, rtol=0)  # 1 + gamma was rounded
