"""Heat-network engine: hydraulics and heat of the primary network, substations and buildings."""
