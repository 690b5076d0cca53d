"""Images: 8-bit numbers in rows and columns, read by three small convolutions."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from memup.core.spaces import Box, Leaf
from memup.core.types import Key

SMALLEST = 8
FIRST_GRID = 16
CHANNELS = (16, 32, 32)


def is_image(leaf: Leaf) -> bool:
    """Say whether a leaf is an image: uint8, [H, W] or with channels, 8 x 8 at least."""
    if not isinstance(leaf, Box) or leaf.dtype != "uint8" or not 2 <= len(leaf.shape) <= 4:
        return False
    height, width, _ = _as_image(leaf.shape)
    return min(height, width) >= SMALLEST


def _as_image(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Return height, width and channels of [H, W], [H, W, C], [C, H, W] or [N, H, W, C]."""
    if len(shape) == 2:
        return (*shape, 1)
    frames = shape[0] if len(shape) == 4 else 1
    a, b, c = shape[-3:]
    # Channels are few: whichever of the outer axes is shorter.
    return (b, c, a * frames) if a < c and a <= SMALLEST else (a, b, c * frames)


class ImageEncoder(eqx.Module):
    """Three convolutions with rectifiers whose patches do not overlap, flattened.

    The first stride is such that what it leaves has at most 16 x 16 places; each of the others
    halves that. So an image of any size becomes at most 512 numbers. As kernels are as wide as
    their strides, each layer is one product of matrices: on a processor its gradient costs a
    third of that of convolutions that overlap.

    Attributes:
        kernels: [stride * stride * in, out] of each convolution.
        biases: [out].
        strides: of each.
        shape: of the leaf.
        output_size: floats.
    """

    kernels: tuple[Float[Array, "P O"], ...]
    biases: tuple[Float[Array, " O"], ...]
    strides: tuple[int, ...] = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(static=True)
    output_size: int = eqx.field(static=True)

    def __init__(self, leaf: Box, *, key: Key):
        """Make it for a leaf that is an image; weights have variance 2 / fan-in."""
        height, width, inputs = _as_image(leaf.shape)
        first = -(-max(height, width) // FIRST_GRID)
        self.strides, self.shape = (first, 2, 2), leaf.shape
        kernels, places = [], (height, width)
        for k, stride, outputs in zip(
            jax.random.split(key, 3), self.strides, CHANNELS, strict=True
        ):
            numbers = stride * stride * inputs
            kernels.append(np.sqrt(2 / numbers) * jax.random.normal(k, (numbers, outputs)))
            places = tuple(-(-n // stride) for n in places)
            inputs = outputs
        self.kernels = tuple(kernels)
        self.biases = tuple(jnp.zeros(n) for n in CHANNELS)
        self.output_size = places[0] * places[1] * CHANNELS[-1]

    def __call__(self, value: ArrayLike) -> Float[Array, " F"]:
        """Encode one image."""
        x = self._pixels(jnp.asarray(value)).astype(jnp.float32) / 255
        for kernel, bias, stride in zip(self.kernels, self.biases, self.strides, strict=True):
            x = jax.nn.relu(_patches(x, stride) @ kernel + bias[None, None])
        return jnp.ravel(x)

    def _pixels(self, value: Array) -> Array:
        """Return [H, W, C]."""
        if value.ndim == 2:
            return value[..., None]
        height, width, channels = _as_image(self.shape)
        if value.shape[-3] != height:  # channels first
            value = jnp.moveaxis(value, -3, -1)
        if value.ndim == 4:
            value = jnp.moveaxis(value, 0, -2)
        return value.reshape(height, width, channels)


def _patches(x: Float[Array, "H W C"], side: int) -> Float[Array, "h w P"]:
    """Cut an image into squares, laid out one a place; zeros fill the last ones."""
    height, width, channels = x.shape
    x = jnp.pad(x, ((0, -height % side), (0, -width % side), (0, 0)))
    x = x.reshape(-(-height // side), side, -(-width // side), side, channels)
    return jnp.swapaxes(x, 1, 2).reshape(x.shape[0], x.shape[2], side * side * channels)
