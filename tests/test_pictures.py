"""One door in, one door out: colours, orientation, transparency, depth, refusals, and what is written."""

from __future__ import annotations

import os
import time
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from limner import pictures
from limner.errors import PictureError, UsageError
from limner.pictures import FORMATS, decode, encode, read, write
from odd_pictures import chunk, encoded, make_all, painting, png


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    folder = tmp_path_factory.mktemp("odd") / "in"
    return folder, make_all(folder)


def kind_of(data: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, "it")
    return caught.value.kind


def test_every_odd_file_is_read_or_refused_by_name_and_soon(odd: tuple[Path, dict[str, str]]) -> None:
    folder, right = odd
    assert len(right) >= 60
    for name, verdicts in right.items():
        path = folder / (os.fsdecode(b"not-text-\xff.png") if name.startswith("not-text") else name)
        began = time.monotonic()
        try:
            verdict = "taken" if read(path, root=folder).pixels.size else "nothing"
        except PictureError as error:
            verdict = error.kind
            assert "\n" not in error.reason
        assert time.monotonic() - began < 5
        if verdicts == "merged":
            verdicts = "taken"
        if name == "up":
            verdicts = "outside"  # a folder is looked at by the import, which does not follow links to folders
        assert verdict in verdicts.split("|"), name


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(orientation: int) -> None:
    upright = painting(1, 64, 48)
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # EXIF value -> transposition that a camera would have made
    stored = upright if orientation == 1 else upright.transpose(Image.Transpose(undo[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    for format, options in (("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})):
        seen = decode(encoded(stored, format, exif=exif.tobytes(), **options), "it").pixels
        assert np.array_equal(seen, np.asarray(upright)), format


def test_a_wide_gamut_profile_is_converted_to_srgb() -> None:
    linear = _linear_profile()
    grey = Image.new("RGB", (8, 8), (55, 55, 55))  # 0.2157 linear
    seen = decode(encoded(grey, "PNG", icc_profile=linear), "it").pixels
    assert abs(int(seen[0, 0, 0]) - 128) <= 2  # sRGB of 0.2157 is 0.502
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert np.array_equal(decode(encoded(grey, "PNG", icc_profile=srgb), "it").pixels, np.asarray(grey))


def _linear_profile() -> bytes:
    """sRGB with every tone curve replaced by gamma 1."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for i in range(int.from_bytes(profile[128:132], "big")):
        entry = 132 + 12 * i
        if bytes(profile[entry : entry + 4]) in (b"rTRC", b"gTRC", b"bTRC"):
            place = int.from_bytes(profile[entry + 4 : entry + 8], "big")
            profile[place : place + 16] = b"para" + bytes(4) + b"\0\0\0\0" + (1 << 16).to_bytes(4, "big")
    return bytes(profile)


def test_a_profile_that_cannot_be_read_is_noted() -> None:
    seen = decode(encoded(painting(2), "PNG", icc_profile=b"nonsense" * 40), "it")
    assert np.array_equal(seen.pixels, np.asarray(painting(2)))
    assert seen.notes == ("colour profile unreadable, taken as sRGB",)


def test_transparency_is_flattened_on_the_background() -> None:
    image = Image.new("RGBA", (2, 1), (200, 0, 0, 128))
    image.putpixel((1, 0), (9, 9, 9, 0))
    seen = decode(encoded(image, "PNG"), "it", background=(0, 0, 255)).pixels
    assert seen[0].tolist() == [[100, 0, 127], [0, 0, 255]]
    palette = Image.new("P", (1, 1), 0)
    palette.putpalette([10, 20, 30])
    assert decode(encoded(palette, "GIF", transparency=0), "it").pixels[0, 0].tolist() == [255, 255, 255]


def sixteen(values: NDArray[np.uint16], colour: int, *extra: bytes) -> bytes:
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    return png(values.shape[1], values.shape[0], 16, colour, rows, *extra)


@pytest.mark.parametrize(("colour", "channels"), [(0, 0), (2, 3), (6, 4)])
def test_sixteen_bits_are_rounded_to_eight(colour: int, channels: int) -> None:
    shape = (9, 7, channels) if channels else (9, 7)
    values = np.random.default_rng(3).integers(0, 65536, shape).astype(np.uint16)
    if channels == 4:
        values[..., 3] = 65535
    seen = decode(sixteen(values, colour), "it").pixels
    right = np.round(values / 257).astype(np.uint8)
    right = right[..., :3] if channels else np.repeat(right[..., None], 3, -1)
    assert np.array_equal(seen, right)


def test_the_transparent_colour_of_sixteen_bits_is_exact() -> None:
    values = np.array([[[1000, 1000, 1000], [1000, 1000, 1001]]], dtype=np.uint16)
    clear = chunk(b"tRNS", np.array([1000, 1000, 1000], ">u2").tobytes())
    assert decode(sixteen(values, 2, clear), "it").pixels[0].tolist() == [[255] * 3, [4] * 3]


def test_cmyk_becomes_rgb() -> None:
    seen = decode(encoded(Image.new("CMYK", (4, 4), (0, 255, 255, 0)), "TIFF"), "it").pixels
    assert seen[0, 0].tolist() == [255, 0, 0]


def test_a_moving_picture_gives_its_first_frame() -> None:
    first, second = painting(4), painting(5)
    seen = decode(encoded(first, "WEBP", lossless=True, save_all=True, append_images=[second]), "it")
    assert np.array_equal(seen.pixels, np.asarray(first))
    assert seen.notes == ("animated, first frame taken",)


def test_refused_before_decoding() -> None:
    began = time.monotonic()
    assert kind_of(png(30000, 30000, 8, 2, b"\0" * 10)) == "too-large"
    assert kind_of(png(14143, 14142, 8, 2, b"\0" * 10)) == "too-large"  # one row over 200 megapixels
    assert kind_of(png(14142, 14142, 8, 2, b"\0" * 10)) == "bomb"  # allowed in size, but not from so few bytes
    assert time.monotonic() - began < 0.5


def test_a_large_file_is_mapped_and_reads_the_same(tmp_path: Path) -> None:
    pixels = np.random.default_rng(6).integers(0, 256, (2400, 2400, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "large.bmp")
    assert not isinstance(pictures.open_file(tmp_path / "large.bmp"), bytes)
    assert np.array_equal(read(tmp_path / "large.bmp").pixels, pixels)


def test_an_unreadable_file_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "locked.png"
    path.write_bytes(encoded(painting(7), "PNG"))
    path.chmod(0)
    if os.geteuid() == 0:  # root reads everything

        def refuse(*_: object, **__: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PictureError) as caught:
        read(path)
    assert caught.value.kind == "unreadable"
    assert "permissions" in str(caught.value)


def test_a_link_out_of_the_folder_is_refused_and_one_inside_is_not(tmp_path: Path) -> None:
    folder, path = tmp_path / "in", tmp_path / "out.png"
    folder.mkdir()
    path.write_bytes(encoded(painting(8), "PNG"))
    (folder / "link.png").symlink_to(path)
    with pytest.raises(PictureError) as caught:
        read(folder / ".." / "out.png", root=folder)
    assert caught.value.kind == "outside"
    with pytest.raises(PictureError):
        read(folder / "link.png", root=folder)
    assert read(folder / "link.png").format == "png"
    (folder / "real.png").write_bytes(path.read_bytes())
    (folder / "inner.png").symlink_to("real.png")
    assert read(folder / "inner.png", root=folder).format == "png"


@pytest.mark.parametrize("format", sorted(FORMATS))
def test_what_is_written_reads_back(format: str, tmp_path: Path) -> None:
    pixels = np.asarray(painting(9))
    packet = '<x:xmpmeta xmlns:x="adobe:ns:meta/">é</x:xmpmeta>'.encode()
    path = tmp_path / f"it.{format}"
    write(pixels, path, quality=95, xmp=packet)
    back = read(path)
    assert back.format == format
    assert back.xmp == packet
    assert np.abs(back.pixels.astype(int) - pixels).mean() < (0.01 if format == "png" else 6)
    assert encode(pixels, format, quality=95, xmp=packet) == path.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == [path.name]


def test_writing_refuses_what_it_cannot_do(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(UsageError, match="no format that limner writes"):
        write(pixels, tmp_path / "it.tiff")
    with pytest.raises(UsageError, match="out of range"):
        encode(pixels, "jpeg", quality=0)
    with pytest.raises(UsageError, match="at most"):
        encode(np.zeros((1, 20000, 3), np.uint8), "webp")
    with pytest.raises(UsageError, match="at most"):
        encode(pixels, "jpeg", xmp=b" " * 70000)
    with pytest.raises(ValueError, match="uint8"):
        encode(np.zeros((4, 4), np.uint8), "png")
    with pytest.raises(UsageError, match="cannot be written"):
        write(pixels, tmp_path / "no-such-folder" / "it.png")


def test_exif_names_are_read_as_plain_text() -> None:
    exif = Image.Exif()
    exif[0x013B], exif[0x8298] = "Ada\x1b[31m Example", "(c) 2020 Ada"
    seen = decode(encoded(painting(10), "JPEG", exif=exif.tobytes()), "it")
    assert seen.creators == ("Ada [31m Example",)
    assert seen.notices == ("(c) 2020 Ada",)


def test_reading_agrees_with_the_decoder_on_plain_files() -> None:
    data = encoded(painting(11), "JPEG", quality=80)
    assert np.array_equal(decode(data, "it").pixels, np.asarray(Image.open(BytesIO(data))))
