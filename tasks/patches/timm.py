"""timm where it would go on with something else than was asked: augmentations on Pillow 13 (which
can go once timm no longer asks for 0 bits), repeats on one rank, broken samples of a webdataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

OPERATIONS = ("Posterize", "PosterizeIncreasing", "PosterizeOriginal")


def posterize(image: Any, bits_to_keep: int, **_: Any) -> Any:
    """`image` with so many bits of each channel. timm's policies sometimes keep none: a black
    image, as it was with older Pillow, which Pillow 13 refuses with a `ValueError`."""
    from timm.data import auto_augment

    if bits_to_keep < 1:
        return image.point([0] * 256 * len(image.getbands()))
    return auto_augment.posterize(image, bits_to_keep)


@contextmanager
def repeats_on_one_rank() -> Iterator[None]:
    """timm repeats an image only over several ranks; here its own sampler gets the one rank."""
    from timm.data import loader
    from timm.data.distributed_sampler import RepeatAugSampler

    module: Any = loader
    module.RepeatAugSampler = partial(RepeatAugSampler, num_replicas=1, rank=0)
    try:
        yield
    finally:
        module.RepeatAugSampler = RepeatAugSampler


class BrokenSample(RuntimeError):
    """A sample of a webdataset that cannot be decoded."""


def broken_samples_are_errors() -> None:
    """timm leaves a webdataset's broken samples out with a warning: its rate and its accuracy would
    be those of another set. Here the first one is a `BrokenSample`."""
    from timm.data.readers import reader_wds

    if not hasattr(reader_wds._decode, "names_samples"):
        reader_wds._decode = _naming(reader_wds._decode)
        reader_wds.log_and_continue = _raise


def _naming(decode: Any) -> Any:
    def decode_or_name(sample: dict[str, Any], **options: Any) -> Any:
        try:
            return decode(sample, **options)
        except Exception as error:
            place = f"sample {sample.get('__key__')} of {sample.get('__url__')}"
            raise BrokenSample(
                f"{place} cannot be decoded ({type(error).__name__}: {error}); correct or delete it"
            ) from error

    vars(decode_or_name)["names_samples"] = True
    return decode_or_name


def _raise(error: Exception) -> bool:
    if isinstance(error, BrokenSample):
        raise error
    message = " ".join(" ".join(map(str, error.args)).split())
    raise BrokenSample(f"the webdataset cannot be read ({message}); write it again") from error


def install() -> None:
    """Let timm's policies use our `posterize`. Call before a loader is made."""
    from timm.data import auto_augment

    auto_augment.NAME_TO_OP.update(dict.fromkeys(OPERATIONS, posterize))
