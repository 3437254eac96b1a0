"""The HDF5 event files: their layout, a crash-safe writer, and readers that say what is missing.

The only room that imports h5py; `layout` and `columns` do without, so that describing a file does not cost the import.
"""
