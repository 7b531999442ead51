"""Pages: a layout and thin callbacks each; the maths is in ``app.domains`` and ``twin``."""
