"""Embedded clips: real MP4 files whose class is their motion, encoded once into the cache."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

NUM_MOTIONS = 8
_SPEED = 0.012  # of the width, per frame: a clip crosses the picture in about 80 frames
_NOISE, _NUM_NOISES = 4.0, 7  # of 255, as a small camera has it; seven pictures of it, in turn
_CODECS = ("libx264", "mpeg4")  # H.264; MPEG-4 part 2 where PyAV was built without it


@dataclass(frozen=True)
class Format:
    """Size in pixels (even numbers), frames per second, frames per clip."""

    width: int
    height: int
    fps: int
    num_frames: int


def label_of(index: int) -> int:
    """The class of the `index`-th clip."""
    return index % NUM_MOTIONS


def write_clip(path: Path, label: int, form: Format, seed: int) -> None:
    """One clip: a smooth texture that drifts in the direction of its class, squares that
    drift faster, and a camera's noise. Raises `OSError` if it cannot be written."""
    import av
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    scene = _Scene(draw, form, label)
    with av.open(str(path), "w") as container:
        stream = _stream(container, form)
        for index in range(form.num_frames):
            frame = av.VideoFrame.from_ndarray(scene.picture(index), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def _stream(container: Any, form: Format) -> Any:
    import av

    codec = next(name for name in _CODECS if name in av.codecs_available)
    stream = container.add_stream(codec, rate=form.fps)
    stream.width, stream.height, stream.pix_fmt = form.width, form.height, "yuv420p"
    if codec == "libx264":
        # one key frame in ten seconds, as a web video has: a decoder has to go back for a frame
        stream.options = {"preset": "veryfast", "crf": "23", "g": "250"}
    stream.thread_count = 1
    return stream


class _Scene:
    def __init__(self, draw: np.random.Generator, form: Format, label: int) -> None:
        import numpy as np
        from scipy.ndimage import gaussian_filter

        self.form = form
        angle = 2 * np.pi * label / NUM_MOTIONS
        speed = max(3.0, _SPEED * form.width)
        self.step = speed * np.array([np.sin(angle), np.cos(angle)])  # rows, columns
        coarse = gaussian_filter(
            draw.normal(size=(form.height, form.width, 3)),
            (form.height / 16, form.width / 16, 0),
            mode="wrap",
        )
        self.texture = (110 + 45 * coarse / np.abs(coarse).max()).astype(np.int16)
        shape = (_NUM_NOISES, form.height, form.width, 3)
        self.noises = draw.normal(0, _NOISE, shape).astype(np.int16)
        self.squares = draw.uniform((0, 0), (form.height, form.width), (6, 2))
        self.colours = draw.uniform(0, 255, (6, 3))

    def picture(self, index: int) -> np.ndarray:
        """RGB (height, width, 3), uint8."""
        import numpy as np

        form, drift = self.form, index * self.step
        rows, columns = (round(float(part)) for part in drift / 2)
        picture = np.roll(self.texture, (rows, columns), axis=(0, 1))
        side = max(2, form.height // 6)
        for corner, colour in zip(self.squares, self.colours, strict=True):
            top, left = (int(part) for part in (corner + drift) % (form.height, form.width))
            picture[top : top + side, left : left + side] = colour
        picture += self.noises[index % _NUM_NOISES]
        return picture.clip(0, 255).astype(np.uint8)
