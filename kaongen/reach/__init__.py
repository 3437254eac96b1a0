"""The user's own question: which couplings of a model a number of kaons can exclude, mass by mass."""
