"""From a run card to shards of events: plan, chain, engine."""
