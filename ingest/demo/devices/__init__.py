"""The demo's devices: they see the plant through imperfect instruments and speak three dialects."""
