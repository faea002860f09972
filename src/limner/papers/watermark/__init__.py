"""A mark in the pixels that the eye does not see and a program finds again: who embeds it, who reads it, its code.

It carries the 48 bits that name a work, so that papers can be found when a file has lost them. Numbers in, numbers out:
no file, registry or manifest here.
"""

from limner.papers.watermark.embedding import Embedder
from limner.papers.watermark.layout import FULL, MODEL_KEY, PUBLIC_KEY, SMALLEST, Layout
from limner.papers.watermark.reading import Prepared, Reader, Reading

__all__ = ["FULL", "MODEL_KEY", "PUBLIC_KEY", "SMALLEST", "Embedder", "Layout", "Prepared", "Reader", "Reading"]
