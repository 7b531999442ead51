"""Tilt photography: 3D Tiles, OSGB, OBJ and GLB in; one clean 3D Tiles 1.1 layer per import out."""
