"""Limits from numbers of events; never sees events."""
