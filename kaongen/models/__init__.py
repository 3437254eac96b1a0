"""From couplings to widths, branching fractions, lifetimes and (g-2) of the muon: one file per model."""
