"""K+ -> mu+ nu nu nubar in the Standard Model: the muon's momentum spectrum, the only thing that is seen."""

from __future__ import annotations

from kaongen.jit import scalar_kernel


@scalar_kernel
def momentum_spectrum(p):
    """dBR/dp in 1/GeV for a muon of momentum p (GeV) in the kaon's rest frame.

    The parametrisation of Gorbunov and Mitrofanov, JHEP 10 (2016) 039, which is per MeV with p in MeV.
    """
    q = 1000.0 * p
    poly = 8.368e-26 + q * (-1.632e-26 + q * (7.338e-29 - q * 9.035e-32))
    return 1000.0 * q * (2.234e-22 + q * (2.043e-22 + q * poly))
