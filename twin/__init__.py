"""The twin: the model of the county and its physics. Engines are pure: arrays in, arrays out."""
