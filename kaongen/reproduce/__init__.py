"""Published numbers beside those that kaongen obtains."""
