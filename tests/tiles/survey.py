"""A survey as ContextCapture delivers it, and an OpenDroneMap folder, made small."""

import subprocess
from pathlib import Path

from tests.tiles.make import make_jpeg

GEOMETRY = """Geode {{
 num_drawables 1
 Geometry {{
  StateSet {{
   UniqueID S_{name}
   textureUnit 0 {{
    GL_TEXTURE_2D ON
    Texture2D {{
     file "{picture}"
     wrap_s CLAMP
     wrap_t CLAMP
    }}
   }}
  }}
  PrimitiveSets 1
  {{
   DrawElementsUInt TRIANGLES 6
   {{
    0 1 2 0 2 3
   }}
  }}
  VertexArray Vec3Array 4
  {{
   {x0} {y0} {z}
   {x1} {y0} {z}
   {x1} {y1} {z}
   {x0} {y1} {z}
  }}
  TexCoordArray 0 Vec2Array 4
  {{
   0 0
   1 0
   1 1
   0 1
  }}
 }}
}}
"""


def level(
    name: str, box: tuple[float, float, float, float, float], file: str, switch: float, picture: str
) -> str:
    """A PagedLOD with a rectangle (x0, y0, x1, y1, z) and the file with the finer ones."""
    x0, y0, x1, y1, z = box
    inner = GEOMETRY.format(name=name, x0=x0, y0=y0, x1=x1, y1=y1, z=z, picture=picture)
    ranges = f"RangeList 2 {{\n 0 {switch}\n {switch} 1e+30\n}}" if file else "RangeList 1 {\n 0 1e+30\n}"
    names = f'FileNameList 2 {{\n ""\n {file}\n}}' if file else 'FileNameList 1 {\n ""\n}'
    return (
        f"PagedLOD {{\n Center {(x0 + x1) / 2} {(y0 + y1) / 2} {z}\n Radius 10\n"
        "RangeMode PIXEL_SIZE_ON_SCREEN\n"
        f"{ranges}\n{names}\n num_children 1\n{inner}}}\n"
    )


def write_osgb(path: Path, levels: list[str], picture: Path) -> None:
    """Write an OSGB with its JPEG inside, through osgconv."""
    text = f"Group {{\n num_children {len(levels)}\n{''.join(levels)}}}\n"
    source = picture.parent / f"{path.stem}.osg"
    source.write_text(text)
    command = ["osgconv", "-O", "WriteImageHint=IncludeFile", source.name, str(path.resolve())]
    subprocess.run(command, cwd=picture.parent, check=True, capture_output=True)


def write_survey(
    folder: Path, work: Path, srs: str = "EPSG:4544", origin: str = "375000,3938000,1700"
) -> Path:
    """One tile in two levels: its left half has a finer file, its right half has none."""
    data = folder / "Data" / "Tile_+000_+000"
    data.mkdir(parents=True)
    work.mkdir(exist_ok=True)
    picture = work / "soil.jpg"
    picture.write_bytes(make_jpeg())
    finer = "Tile_+000_+000_L16_0.osgb"
    coarse = [
        level("left", (0, 0, 10, 20, 1), finer, 400, picture.name),
        level("right", (10, 0, 20, 20, 1), "", 0, picture.name),
    ]
    write_osgb(data / "Tile_+000_+000.osgb", coarse, picture)
    write_osgb(data / finer, [level("fine", (0, 0, 10, 20, 1.25), "", 0, picture.name)], picture)
    (folder / "metadata.xml").write_text(
        f'<?xml version="1.0" encoding="utf-8"?>\n<ModelMetadata version="1">\n<SRS>{srs}</SRS>\n'
        f"<SRSOrigin>{origin}</SRSOrigin>\n</ModelMetadata>\n"
    )
    return folder


def write_odm(folder: Path, side: int = 12) -> Path:
    """OpenDroneMap's folder: a hilly grid of ``side`` x ``side`` squares with two pictures."""
    (folder / "odm_texturing").mkdir(parents=True)
    (folder / "odm_georeferencing").mkdir()
    (folder / "odm_georeferencing" / "coords.txt").write_text("WGS84 UTM 48N\n375000 3938000\n1 2 3\n")
    n = side + 1
    lines = ["mtllib odm_textured_model_geo.mtl"]
    lines += [f"v {5 * j} {5 * i} {1700 + (i * j) % 7}" for i in range(n) for j in range(n)]
    lines += [f"vt {j / side} {i / side}" for i in range(n) for j in range(n)]
    for k, name in enumerate(("material0000", "material0001")):
        lines.append(f"usemtl {name}")
        for i in range(side):
            for j in range(k * side // 2, (k + 1) * side // 2):
                a, b, c, d = (i * n + j + 1, i * n + j + 2, (i + 1) * n + j + 2, (i + 1) * n + j + 1)
                lines.append(f"f {a}/{a} {b}/{b} {c}/{c} {d}/{d}")
    base = folder / "odm_texturing"
    (base / "odm_textured_model_geo.obj").write_text("\n".join(lines) + "\n")
    (base / "odm_textured_model_geo.mtl").write_text(
        "newmtl material0000\nKd 1 1 1\nmap_Kd west.jpg\nnewmtl material0001\nmap_Kd east.jpg\n"
    )
    (base / "west.jpg").write_bytes(make_jpeg(170, 90, 40, side=256))
    (base / "east.jpg").write_bytes(make_jpeg(60, 130, 50, side=256))
    return folder
