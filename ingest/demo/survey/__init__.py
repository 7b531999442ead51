"""Tilt photography of the demo county, made from its model: what a drone's survey would bring home.

``build.build_survey`` makes it, ``listing.has_survey`` says whether it is there. Nothing is imported here: the
supervisor asks for the list without the weight of the making.
"""
