"""Documents and photos beside the readings: their files, what they are, and the text in them."""
