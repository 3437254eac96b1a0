"""Published numbers as data, one file per paper."""
