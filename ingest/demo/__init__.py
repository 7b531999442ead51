"""The demonstration: a fictional county and its simulated field. Nothing here knows the twin's physics."""
