"""Sequences on which memories were first shown to work, drawn on the device from a key.

`copy` (NTM, arXiv 1410.5401, section 4.1), `repeat_copy` (as DeepMind's release of the DNC sets it)
and `digits` (the copying task of RIM, arXiv 1909.10893). A task gives rows of one static length;
weights say which steps count, start flags where a sequence begins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array


class Row(NamedTuple):
    """One row of T steps.

    Attributes:
        x: inputs, [T, I].
        first: True where a sequence begins, [T].
        target: bits [T, O], or one of O classes, [T].
        weight: share of each step in the row's loss, [T].
        asked: True where the answer is tested, [T].
    """

    x: Array
    first: Array
    target: Array
    weight: Array
    asked: Array


@dataclass(frozen=True)
class Task:
    """Rows and what is asked about them.

    Attributes:
        name: with the sizes that make it what it is.
        inputs: I.
        outputs: O.
        bits: O bits a step; False: one of O classes.
        row: key -> Row.
    """

    name: str
    inputs: int
    outputs: int
    bits: bool
    row: Callable[[Array], Row]

    def nll(self, logits: Array, target: Array) -> Array:
        """Return -log probability of the targets in nats, [T, O] for bits, else [T]."""
        if self.bits:
            return jax.nn.softplus(logits) - logits * target
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), target[:, None], axis=1)
        return -chosen[:, 0]

    def right(self, logits: Array, target: Array) -> Array:
        """Say which answers are right, shaped as `nll`."""
        if self.bits:
            return (logits > 0) == (target > 0.5)
        return jnp.argmax(logits, axis=1) == target


BITS = 8


def copy(longest: int = 20, exact: bool = False) -> Task:
    """Copy vectors of eight bits: the vectors, a delimiter, then as many answers.

    A row holds two sequences, of n and longest + 1 - n vectors with n uniform in 1 to longest, so
    that every length is as likely as any other and no step is empty.

    Args:
        longest: the most vectors of a sequence.
        exact: one sequence of just so many vectors in each row instead.
    """
    steps = 2 * longest + 1 if exact else 2 * longest + 4

    def row(key: Array) -> Row:
        key_n, key_bits = jax.random.split(key)
        n = longest if exact else jax.random.randint(key_n, (), 1, longest + 1)
        second = jnp.arange(steps) > 2 * n
        begin = jnp.where(second, 2 * n + 1, 0)
        length = jnp.where(second, longest + 1 - n, n)
        at = jnp.arange(steps) - begin
        said = jax.random.bernoulli(key_bits, 0.5, (steps, BITS)).astype(jnp.float32)
        asked = at > length
        vectors = jnp.where((at < length)[:, None], said, 0)
        x = jnp.concatenate([vectors, (at == length)[:, None].astype(jnp.float32)], axis=1)
        echo = said[jnp.maximum(jnp.arange(steps) - length - 1, 0)]
        weight = asked / (1.0 if exact else 2.0)
        return Row(x, at == 0, jnp.where(asked[:, None], echo, 0), weight, asked)

    name = f"copy {longest}" if exact else f"copy 1 to {longest}"
    return Task(name, BITS + 1, BITS, True, row)


def repeat_copy(bits: int = 4, longest: int = 2, most: int = 2) -> Task:
    """Say a pattern several times over, then an end marker.

    A start marker, 1 to `longest` vectors, how often to say them (1 to `most`, as a share of 10),
    then the answers. Inputs: the bits, the start marker, the number. Outputs: the bits and the end
    marker.

    Args:
        bits: of a vector.
        longest: the most vectors of a pattern.
        most: the most repeats.
    """
    steps = longest * (most + 1) + 3
    at = jnp.arange(steps)

    def row(key: Array) -> Row:
        keys = jax.random.split(key, 3)
        n = jax.random.randint(keys[0], (), 1, longest + 1)
        repeats = jax.random.randint(keys[1], (), 1, most + 1)
        said = jax.random.bernoulli(keys[2], 0.5, (longest, bits)).astype(jnp.float32)
        vectors = said[jnp.clip(at - 1, 0, longest - 1)]
        vectors = jnp.where(((at >= 1) & (at <= n))[:, None], vectors, 0)
        number = jnp.where(at == n + 1, repeats / 10.0, 0)
        x = jnp.concatenate([vectors, (at == 0)[:, None].astype(jnp.float32), number[:, None]], 1)
        answer = at - (n + 2)
        end = answer == n * repeats
        asked = (answer >= 0) & (answer <= n * repeats)
        echo = jnp.where((asked & ~end)[:, None], said[jnp.maximum(answer, 0) % n], 0)
        target = jnp.concatenate([echo, end[:, None].astype(jnp.float32)], axis=1)
        return Row(x, at == 0, target, asked.astype(jnp.float32), asked)

    name = f"repeat-copy 1 to {longest} of {bits} bits, 1 to {most} times"
    return Task(name, bits + 2, bits + 1, True, row)


def digits(gap: int = 50, count: int = 10, kinds: int = 8) -> Task:
    """Ten digits, a gap of blanks whose last step is a marker, then ten blanks: say the digits.

    The target is 0 wherever no digit is asked for, and every step counts alike, as in the release.

    Args:
        gap: steps from the last digit to the marker.
        count: digits of a sequence.
        kinds: a digit is 1 to `kinds`; 0 is the blank and `kinds` + 1 the marker.
    """
    steps = 2 * count + gap
    at = jnp.arange(steps)
    asked = at >= count + gap

    def row(key: Array) -> Row:
        said = jax.random.randint(key, (count,), 1, kinds + 1)
        symbol = jnp.zeros(steps, int).at[:count].set(said).at[count + gap - 1].set(kinds + 1)
        target = jnp.zeros(steps, int).at[count + gap :].set(said)
        weight = jnp.full(steps, 1 / steps)
        return Row(jax.nn.one_hot(symbol, kinds + 2), at == 0, target, weight, asked)

    return Task(f"{count} digits, gap {gap}", kinds + 2, kinds + 1, False, row)
