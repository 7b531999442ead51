"""Smart heating: key figures and the rules of what asks for a decision."""
