"""Choices of searches that cannot be are refused before anything is generated."""

import pytest
from pydantic import ValidationError

from kaongen.analysis.registry import check
from kaongen.errors import CardError
from kaongen.production.card import parse_card
from kaongen.searches.settings import known_settings

CARD = """
[run]
name = "x"
[[sample]]
name = "n"
process = "PROCESS"
zone = "ZONE"
role = "normalisation"
candidates = 1
"""


@pytest.mark.parametrize(
    ("search", "changes"),
    [
        ("mu_invisible", {"n_kaons": 1e300}),
        ("mu_invisible", {"observed": 10**20}),
        ("mu_invisible", {"background": 1e300}),
        ("mu_invisible", {"heavy_neutrino_bin": 1e-9}),
        ("mu_invisible", {"heavy_neutrino_masses": ((0.5, 0.6, 0.01),)}),
        ("mu_invisible", {"heavy_neutrino_range": (0.26, 0.3)}),
        ("mu_invisible", {"heavy_neutrino_order": 4, "heavy_neutrino_side_band": 2.0}),
        ("mu_projection", {"kaons": 1e300}),
        ("mu_projection", {"events_first": 1e300}),
        ("mu_projection", {"suppression": 1e300}),
        ("mu_projection", {"threshold": 1e300}),
        ("dimuon", {"window": 1e-9}),
        ("dimuon", {"momentum_resolution": (0.0, 0.0)}),
        ("dimuon", {"momentum_resolution": (-1.0, 0.0)}),
        ("dimuon", {"n_kaons": 1e-300}),
        ("dimuon", {"other_background": 1e300}),
    ],
)
def test_choices_have_a_range(search, changes):
    kind = known_settings()[search]
    kind(name=search)
    with pytest.raises(ValidationError):
        kind(name=search, **changes)


@pytest.mark.parametrize(
    ("process", "zone", "said"), [("munug", "volume", "K\\+ -> mu\\+ nu_mu gamma"), ("munu", "upstream", "upstream")]
)
def test_mu_invisible_counts_kaons_by_their_decays_to_a_muon(process, zone, said):
    check(parse_card(CARD.replace("PROCESS", "munu").replace("ZONE", "volume"), "x"))
    with pytest.raises(CardError, match=f"normalised to .* 'n' .*{said}"):
        check(parse_card(CARD.replace("PROCESS", process).replace("ZONE", zone), "x"))
