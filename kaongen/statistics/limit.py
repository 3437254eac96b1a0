"""An upper limit with its expectation and bands: what every method of this room returns."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kaongen.errors import StatisticsError


def check_confidence_level(confidence_level: float) -> None:
    """StatisticsError if it does not lie between 0 and 1."""
    if not 0.0 < confidence_level < 1.0:
        raise StatisticsError(f"confidence_level is {confidence_level}, but must lie between 0 and 1, both excluded")


@dataclass(frozen=True, slots=True)
class UpperLimit:
    """Observed and expected upper limits on a parameter of interest, in its units.

    `expected` is the median limit of experiments without signal, the bands its quantiles at -2, -1, +1 and +2 standard
    deviations; `observed` is None where nothing was observed yet.
    """

    observed: float | None
    expected: float
    minus_two_sigma: float
    minus_one_sigma: float
    plus_one_sigma: float
    plus_two_sigma: float
    confidence_level: float
    method: str

    @property
    def bands(self) -> dict[str, float]:
        """The four quantiles by the number of standard deviations: "-2", "-1", "+1", "+2"."""
        return {
            "-2": self.minus_two_sigma,
            "-1": self.minus_one_sigma,
            "+1": self.plus_one_sigma,
            "+2": self.plus_two_sigma,
        }

    def scaled(self, factor: float, power: float = 1.0) -> UpperLimit:
        """The limit on (factor * parameter) ** power, such as a coupling whose square the rate is proportional to.

        Parameters
        ----------
        factor, power : float
            Finite and above 0, so that the order of the quantiles stays.

        Returns
        -------
        UpperLimit
            In units of the new parameter.

        Raises
        ------
        StatisticsError
            If factor or power is not finite and positive.
        """
        for name, value in (("factor", factor), ("power", power)):
            if not (math.isfinite(value) and value > 0.0):
                raise StatisticsError(f"{name} is {value}, but must be a finite number above 0")

        def new(limit: float) -> float:
            return float((limit * factor) ** power)

        return UpperLimit(
            observed=None if self.observed is None else new(self.observed),
            expected=new(self.expected),
            minus_two_sigma=new(self.minus_two_sigma),
            minus_one_sigma=new(self.minus_one_sigma),
            plus_one_sigma=new(self.plus_one_sigma),
            plus_two_sigma=new(self.plus_two_sigma),
            confidence_level=self.confidence_level,
            method=self.method,
        )

    def as_dict(self) -> dict[str, object]:
        """The limit as an object that JSON can hold."""
        return {
            "observed": self.observed,
            "expected": self.expected,
            "bands": self.bands,
            "confidence_level": self.confidence_level,
            "method": self.method,
        }
