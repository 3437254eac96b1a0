"""What can be chosen in each search: the `[analysis]` part of a card, one file per search; knows no events."""
