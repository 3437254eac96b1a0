"""The settings of any search, told apart by their name."""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from kaongen.searches.dimuon import Dimuon
from kaongen.searches.mu_invisible import MuInvisible
from kaongen.searches.mu_projection import MuProjection
from kaongen.searches.none import NoSearch
from kaongen.searches.pion_x import PionX

Settings = MuInvisible | MuProjection | Dimuon | PionX | NoSearch
AnySettings = Annotated[Settings, Field(discriminator="name")]
"""As a field of a model."""


def known_settings() -> dict[str, type[Settings]]:
    """Each kind of settings by the name of its search."""
    return {str(get_args(kind.model_fields["name"].annotation)[0]): kind for kind in get_args(Settings)}
