"""Pictures of tiles: checked, and turned into JPEG or PNG where they are anything else.

JPEG and PNG are kept byte for byte. KTX2 (Basis Universal), WebP, DDS, BMP and TIFF are decoded and
written anew, because a viewer would need a codec for them.
"""

import io
import struct
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from ingest.tiles.glb import Picture
from twin.model.errors import InputError

JPEG_QUALITY = 88
KTX2 = b"\xabKTX 20\xbb\r\n\x1a\n"
MAX_SIDE = 16384


def normalise_picture(data: bytes | memoryview, name: str) -> Picture:
    """Return the picture as JPEG or PNG; every pixel has been read once.

    Raises
    ------
    InputError : cut off, too large, or of a kind that is not read here (said by name)
    """
    data = bytes(data)
    if data.startswith(KTX2):
        return encode_picture(_decode_ktx2(data, name))
    image = open_picture(data, name)
    if image.format in ("JPEG", "PNG") and image.mode in ("RGB", "RGBA", "L", "P", "LA"):
        return Picture(data, "image/jpeg" if image.format == "JPEG" else "image/png")
    return encode_picture(image)


def open_picture(data: bytes, name: str, *, small: bool = True) -> Image.Image:
    """Decode a picture whole; ``small`` decodes a JPEG at an eighth, enough to know that it is sound.

    Raises
    ------
    InputError : no picture, damaged, or larger than a graphics card takes
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
            if max(image.size) > MAX_SIDE:
                raise InputError(f"{name}: picture of {image.size[0]} x {image.size[1]}; export it smaller")
            if small and image.format == "JPEG" and image.mode == "RGB":
                image.draft("RGB", (image.size[0] // 8, image.size[1] // 8))
            image.load()
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as e:
        raise InputError(f"{name}: the picture is too large ({e}); export it smaller") from e
    except UnidentifiedImageError as e:
        kind = "CRN textures are" if data[:2] == b"Hx" else "this kind of picture is"
        raise InputError(f"{name}: {kind} not read here; export with JPEG or PNG textures") from e
    except (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, struct.error) as e:
        raise InputError(f"{name}: the picture is damaged ({e}); copy it again") from e
    return image


def _decode_ktx2(data: bytes, name: str) -> Image.Image:
    import opengl_basisu

    try:
        texture = opengl_basisu.open(data)
        if max(texture.width, texture.height) > MAX_SIDE // 2:
            raise InputError(f"{name}: KTX2 of {texture.width} x {texture.height}; export it smaller")
        pixels = texture.transcode("rgba8")
    except opengl_basisu.BasisuError as e:
        raise InputError(
            f"{name}: KTX2 texture cannot be read ({e}); export with Basis Universal, JPEG or PNG"
        ) from e
    rgba = np.frombuffer(pixels.data, np.uint8).reshape(texture.height, texture.width, 4)
    return Image.fromarray(rgba if texture.has_alpha else np.ascontiguousarray(rgba[:, :, :3]))


def encode_picture(image: Image.Image) -> Picture:
    """Write a picture as JPEG, or as PNG where it is partly transparent."""
    out = io.BytesIO()
    if "A" in image.getbands() and np.asarray(image.getchannel("A")).min() < 255:
        image.convert("RGBA").save(out, "PNG")
        return Picture(out.getvalue(), "image/png")
    image.convert("RGB").save(out, "JPEG", quality=JPEG_QUALITY, subsampling=2)
    return Picture(out.getvalue(), "image/jpeg")


def mean_colour(picture: Picture) -> NDArray[np.float64]:
    """Return the mean red, green and blue (0 to 255) and their spread over the pixels, (2, 3)."""
    image = open_picture(picture.data, "picture").convert("RGB")
    rgb = np.asarray(image, np.float64).reshape(-1, 3)
    return np.stack([rgb.mean(axis=0), rgb.std(axis=0)])
