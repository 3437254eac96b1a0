"""The catalogue of processes and the samplers: from |M|^2 to momenta in the kaon's rest frame."""
