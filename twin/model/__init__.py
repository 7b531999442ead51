"""The shared domain model: quantities, places, network, points, readings, errors."""
