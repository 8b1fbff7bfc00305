"""Embedded image sets: real image files, written once and read like any other set."""

from __future__ import annotations

from pathlib import Path

from tasks.data.cache import PER_FILE, written_once

NUM_PATTERNS = 16
_BYTES_PER_PIXEL = 0.6  # of these JPEGs


def synthetic_jpegs(
    cache_dir: Path, num_files: int, width: int, height: int
) -> tuple[list[tuple[Path, int]], list[tuple[Path, int]]]:
    """Train and test files with their labels: `num_files` and a quarter as many.

    A file's class sets the angle, frequency and colour of a grating under noise, so that a
    network can learn it; the noise gives the JPEG a photograph's size on disk (about 110 kB
    at 500 x 375, ImageNet's mean).
    """
    folder = written_once(
        cache_dir / f"synthetic-v1-{num_files}-{width}x{height}",
        lambda draft: _write_jpegs(draft, num_files, width, height),
        1.25 * num_files * (_BYTES_PER_PIXEL * width * height + PER_FILE),
    )
    return _labelled(folder / "train"), _labelled(folder / "val")


def _labelled(folder: Path) -> list[tuple[Path, int]]:
    return [(path, int(path.stem.split("-")[1])) for path in sorted(folder.glob("*.jpg"))]


def _write_jpegs(folder: Path, num_files: int, width: int, height: int) -> None:
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32) / max(width, height)
    for split, count in (("train", num_files), ("val", max(1, num_files // 4))):
        (folder / split).mkdir()
        for index in range(count):
            label = index % NUM_PATTERNS
            angle = np.pi * (label % 4) / 4
            frequency = 6.0 * (1 + label // 4)
            phase = random.uniform(0, 2 * np.pi)
            wave = np.sin(
                2 * np.pi * frequency * (columns * np.cos(angle) + rows * np.sin(angle)) + phase
            )
            tint = np.array([(label >> bit & 1) * 0.5 + 0.5 for bit in range(3)], np.float32)
            noise = random.normal(0, 22, (height, width, 3)).astype(np.float32)
            pixels = 128 + 80 * wave[..., None] * tint + noise
            image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
            image.save(folder / split / f"{index:05d}-{label}.jpg", quality=90)


def digit_pngs(cache_dir: Path) -> tuple[list[tuple[Path, int]], list[tuple[Path, int]]]:
    """scikit-learn's 1,797 handwritten digits as PNG files, every fifth for testing.

    Source: Alpaydin & Kaynak 1998, Optical Recognition of Handwritten Digits (UCI).
    """
    folder = written_once(cache_dir / "digits-v1", _write_digits, 1797 * (1000 + PER_FILE))
    labelled = [(path, int(path.stem.split("-")[1])) for path in sorted(folder.glob("*.png"))]
    test = labelled[::5]
    train = [entry for index, entry in enumerate(labelled) if index % 5]
    return train, test


def _write_digits(folder: Path) -> None:
    import numpy as np
    from PIL import Image
    from sklearn.datasets import load_digits

    digits = load_digits()
    for index, (pixels, label) in enumerate(zip(digits.images, digits.target, strict=True)):
        scan = Image.fromarray((pixels * 255 / 16).astype(np.uint8)).convert("RGB")
        scan.resize((32, 32), Image.Resampling.BICUBIC).save(folder / f"{index:05d}-{label}.png")
