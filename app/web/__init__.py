"""The dashboard's server and shell."""
