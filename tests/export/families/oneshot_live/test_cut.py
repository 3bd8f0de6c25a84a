from __future__ import annotations

import pytest
import torch

from mien_export.families.oneshot_live.networks import SIZES
from mien_export.families.oneshot_live.step import LiveNetworks
from mien_export.families.oneshot_live.weights import cut

LARGE, SMALL = SIZES["s"], SIZES["xs"]
State = dict[str, torch.Tensor]


def within(small: State, large: State, place: dict[int, torch.Tensor]) -> State:
    """The weights of a smaller network in a larger one whose other channels do nothing.

    `place`: for each width of the smaller, which channels of the larger are its own.
    """
    out = {name: torch.zeros_like(value) for name, value in large.items()}
    for name, value in small.items():
        rows, columns = (
            torch.arange(length) if length == whole else place[length]
            for length, whole in zip((*value.shape, 1)[:2], (*large[name].shape, 1)[:2], strict=True)
        )
        if value.dim() == 1:
            out[name][rows] = value
        else:
            out[name][rows[:, None], columns] = value
    return out


def painted(size: str, state: State) -> tuple[torch.Tensor, torch.Tensor]:
    networks = LiveNetworks(size).eval()
    networks.load_state_dict(state)
    rng = torch.Generator().manual_seed(1)
    picture, parsing = (torch.rand((1, channels, 64, 64), generator=rng) for channels in (3, 9))
    given = (torch.rand((1, channels, 64, 64), generator=rng) for channels in (9, 3, 3))
    with torch.no_grad():
        out: tuple[torch.Tensor, torch.Tensor] = networks.generator(networks.appearance(picture, parsing), *given)
    return out


def test_a_network_that_hides_in_a_larger_one_is_found_again() -> None:
    torch.manual_seed(3)
    small, large = LiveNetworks("xs").state_dict(), LiveNetworks("s").state_dict()
    widths = [
        *((a.channels, b.channels) for a, b in zip(SMALL.levels, LARGE.levels, strict=True)),
        *zip(SMALL.encoder, LARGE.encoder, strict=True),
    ]
    place = {few: torch.randperm(many)[:few].sort().values for few, many in widths if few != many}
    whole = within(small, large, place)
    found = cut(whole, LARGE, SMALL)
    assert found.keys() == small.keys()
    assert all(torch.equal(found[name], small[name]) for name in small)
    for got, expected in zip(painted("s", whole), painted("xs", found), strict=True):
        torch.testing.assert_close(got, expected)


def test_the_smallest_of_the_packaged_networks_relatives_runs() -> None:
    torch.manual_seed(4)
    state = cut(LiveNetworks("m").state_dict(), SIZES["m"], SMALL)
    picture, mask = painted("xs", state)
    assert picture.shape == (1, 3, 64, 64)
    assert bool(torch.isfinite(picture).all())
    assert 0 <= float(mask.min()) <= float(mask.max()) <= 1


def test_what_the_larger_one_has_not_cannot_be_cut_out_of_it() -> None:
    state = LiveNetworks("xs").state_dict()
    with pytest.raises(ValueError, match=r"expected at most .* channels of .*, got"):
        cut(state, SMALL, LARGE)
    with pytest.raises(ValueError, match=r"m has .*, which xs has not"):
        cut(state, SMALL, SIZES["m"])
