"""Commands to devices: asked for, checked, approved, sent, read back, and every step written down."""
