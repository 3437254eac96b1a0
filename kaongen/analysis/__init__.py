"""The searches: selections, yields, limits; one file each. They read event files and never generate."""
