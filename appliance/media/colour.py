"""Any picture that Pillow can decode, as plain 8-bit sRGB."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_MAX_PROFILE_BYTES = 4 << 20
_PREMULTIPLIED = {"La": "LA", "RGBa": "RGBA"}
_BITS_PER_SAMPLE, _PHOTOMETRIC = 258, 262
_WHITE_IS_ZERO = 0


def eight_bit(image: Image.Image) -> Image.Image:
    """Return `image` in a mode that can be scaled and converted: deep grey scaled to L, palettes resolved, 1-bit as L.

    Takes every mode of Pillow; gives L, LA, RGB, RGBA, CMYK, YCbCr, HSV or LAB, with the ICC profile kept in `info`.
    """
    if image.mode == "F" or image.mode.startswith("I"):
        plain: Image.Image = Image.fromarray(_scaled(image))
    elif image.mode in _PREMULTIPLIED:
        plain = image.convert(_PREMULTIPLIED[image.mode])
    elif image.has_transparency_data:
        plain = image if image.mode in {"LA", "RGBA"} else image.convert("RGBA")
    elif image.mode in {"P", "PA"}:
        plain = image.convert("RGB")
    elif image.mode == "1":
        plain = image.convert("L")
    elif image.mode == "RGBX":
        plain = image.convert("RGB")
    elif _not_inverted(image):
        plain = Image.eval(image, lambda value: 255 - value)
    else:
        plain = image
    if plain is not image and "icc_profile" in image.info:
        plain.info["icc_profile"] = image.info["icc_profile"]
    return plain


def rgb(image: Image.Image) -> Image.Image:
    """Return an `eight_bit` picture as sRGB without any metadata: its profile applied, alpha laid on white."""
    alpha = None
    if image.mode in {"LA", "RGBA"}:
        alpha = image.getchannel("A")
        profile = image.info.get("icc_profile")
        image = image.convert(image.mode[:-1])
        image.info["icc_profile"] = profile
    plain = _managed(image) or image.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", plain.size, "white")
        white.paste(plain, mask=alpha)
        plain = white
    elif plain is image:
        plain = image.copy()
    plain.info.clear()
    return plain


def _managed(image: Image.Image) -> Image.Image | None:
    """Return `image` converted by its embedded profile; None without one, with sRGB's, or with one that is no use."""
    profile = image.info.get("icc_profile")
    if image.mode == "LAB":
        source = ImageCms.createProfile("LAB")
    elif isinstance(profile, bytes) and len(profile) <= _MAX_PROFILE_BYTES:
        try:
            opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        except (ImageCms.PyCMSError, OSError):
            return None
        source = opened.profile
    else:
        return None
    space = source.xcolor_space.strip()
    expected = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK", "LAB": "Lab"}.get(image.mode)
    if space != expected or (space == "RGB" and "sRGB" in (source.profile_description or "")):
        return None
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(source),
            ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")),
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            outputMode="RGB",
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, ValueError):
        return None


def _not_inverted(image: Image.Image) -> bool:
    """Return whether Pillow inverted a CMYK JPEG that was not: only Adobe's programs store ink as its opposite."""
    return image.mode == "CMYK" and image.format == "JPEG" and "adobe" not in image.info


def _scaled(image: Image.Image) -> NDArray[np.uint8]:
    """Return a deep grey picture, modes I, I;16… and F, as 8 bits: 16-bit ones by their bits, others by their range."""
    values = np.asarray(image)
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        return _sixteen_bit(image, values)
    numbers = np.nan_to_num(values.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    np.clip(numbers, -1e30, 1e30, out=numbers)
    low, high = float(numbers.min()), float(numbers.max())
    tops = (1.0, 255.0, 65535.0) if values.dtype.kind == "f" else (255.0, 65535.0)
    ceiling = next((top for top in tops if high <= top), 0.0)
    if low < 0 or not ceiling:
        numbers -= low
        ceiling = max(high - low, 1e-9)
    numbers *= 255 / ceiling
    np.rint(numbers, out=numbers)
    return numbers.astype(np.uint8)


def _sixteen_bit(image: Image.Image, values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(_BITS_PER_SAMPLE, (16,))[0]
    top = (1 << bits) - 1
    table = (np.minimum(np.arange(65536), top) * 255 + top // 2) // top
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO:
        table = 255 - table
    clear = image.info.get("transparency")
    if isinstance(clear, int):
        table[clear & 0xFFFF] = 255
    shades: NDArray[np.uint8] = table.astype(np.uint8)
    return shades[values]
