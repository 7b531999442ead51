"""Bringing devices in that nobody described before: flows, their check, and what they add to the county."""
