"""Squared amplitudes: pure functions of invariants, one file per decay family, each citing its equation."""
