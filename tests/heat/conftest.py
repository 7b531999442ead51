"""Property tests of compiled code: the first call compiles, so no deadline per example."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "heat", deadline=None, max_examples=60, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("heat")
