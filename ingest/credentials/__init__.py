"""An account at the broker for every device, allowed its own topics and nothing else; and certificates."""
