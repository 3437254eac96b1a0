"""NA62: a small compiled stage for each subdetector, propagation and reconstruction."""
