"""Dispatch and forecast."""
