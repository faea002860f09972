"""The programs of the bench, in the order of its table."""

from __future__ import annotations

from dataclasses import dataclass

from bench.venvs import ENVIRONMENTS, Environment

__all__ = ["PROGRAMS", "Program"]


@dataclass(frozen=True)
class Program:
    """One program.

    Attributes:
        name: as it is given to `--only`.
        title: as the table shows it.
        family: what kind of generator it is.
        environment: where it runs; None is limner's own.
        package: whose patches it runs with, if any.
        usual: whether it runs when no program is named.
    """

    name: str
    title: str
    family: str
    environment: Environment | None
    package: str
    usual: bool = True


_GANS, _PYTHAE = ENVIRONMENTS["gans"], ENVIRONMENTS["pythae"]

PROGRAMS = {
    program.name: program
    for program in (
        Program("limner-vae", "limner, VAE, bare", "VAE", None, "limner"),
        Program("limner-gan", "limner, GAN, bare", "GAN", None, "limner"),
        Program("limner-vae-finished", "limner, VAE, finished", "VAE", None, "limner"),
        Program("limner-gan-finished", "limner, GAN, finished", "GAN", None, "limner"),
        Program("lightweight-gan", "lightweight-gan 1.2.1", "GAN", _GANS, "lightweight_gan"),
        Program("lightweight-gan-plain", "lightweight-gan 1.2.1, no attention", "GAN", _GANS, "lightweight_gan", False),
        Program("stylegan2-pytorch", "stylegan2-pytorch 1.9.0", "GAN", _GANS, "stylegan2_pytorch"),
        Program("torchgan-dcgan", "torchgan 0.1.0, DCGAN", "GAN", _GANS, "torchgan", False),
        Program("pythae-vae", "pythae 0.1.2, VAE", "VAE", _PYTHAE, "pythae"),
        Program("pythae-vaegan", "pythae 0.1.2, VAEGAN", "VAE + GAN", _PYTHAE, "pythae"),
        Program("pythae-vqvae", "pythae 0.1.2, VQVAE", "VAE", _PYTHAE, "pythae"),
    )
}
