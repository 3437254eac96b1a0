"""What other programs fit: histograms, workspaces and arrays, with their units and normalisation."""
