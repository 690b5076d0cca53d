"""The program of rivals/torch_program.py in JAX; for work on the memories' speed.

Many updates run in one dispatch. Sequence-steps a second (rows times window over the time of an
update) by form:

    plain  the LSTM as a scan of `step`, the predictor on every (memory, question) pair
    fast   `unroll`, and the predictor's first layer split, so that its memory part is computed
           once for the K targets of a query
"""

import itertools
import time

import jax
import jax.numpy as jnp
import optax

from benchmarks.suite import Cell
from memup.memories.base import AbstractCell
from memup.memories.make import make_memory

ROWS, WINDOW, TARGETS, INPUT, QUESTION, ENCODED = 64, 20, 2, 6, 4, 64
SIZES = {"lstm64": (64, 128), "lstm256": (256, 512)}
UPDATES = 20


def dense(key, inputs: int, outputs: int):
    bound = inputs**-0.5
    weight = jax.random.uniform(key, (inputs, outputs), minval=-bound, maxval=bound)
    return {"w": weight, "b": jnp.zeros(outputs)}


def apply(layer, x):
    return x @ layer["w"] + jnp.expand_dims(layer["b"], range(x.ndim - 1))


def init(size: int, width: int):
    keys = iter(jax.random.split(jax.random.key(0), 6))
    return {
        "encoder": dense(next(keys), INPUT, ENCODED),
        "memory": make_memory("lstm", ENCODED, size=size, key=next(keys)),
        "question": dense(next(keys), QUESTION, ENCODED),
        "head": [
            dense(next(keys), size + ENCODED, width),
            dense(next(keys), width, width),
            dense(next(keys), width, 1),
        ],
    }


def predict(head, m, asked, split: bool):
    """Apply the perceptron to [m, question]: m [N, D], asked [N, K, E]; returns [N, K].

    Rows are one axis, [N * K, P], throughout: with several, XLA copies the gradient of every
    layer transposed before it multiplies.
    """
    n, k, _ = asked.shape
    if split:
        weight_m, weight_q = jnp.split(head[0]["w"], [m.shape[-1]])
        part = apply({"w": weight_m, "b": head[0]["b"]}, m)
        of_asked = asked.reshape(n * k, -1) @ weight_q
        hidden = (part[:, None] + of_asked.reshape(n, k, -1)).reshape(n * k, -1)
    else:
        pairs = jnp.concatenate([jnp.repeat(m, k, axis=0), asked.reshape(n * k, -1)], -1)
        hidden = apply(head[0], pairs)
    hidden = jax.nn.relu(apply(head[1], jax.nn.relu(hidden)))
    return apply(head[2], hidden).reshape(n, k)


def loss(params, x, first, question, target, state, fast: bool, split: bool):
    memory = params["memory"]
    unroll = memory.unroll if fast else lambda *args: AbstractCell.unroll(memory, *args)
    encoded = jax.nn.relu(apply(params["encoder"], x))
    state, m = jax.vmap(unroll)(state, encoded, first)
    queries = question.shape[1]
    question = question.reshape(ROWS * queries, TARGETS, QUESTION)
    asked = jax.nn.relu(apply(params["question"], question))
    m = m[:, -queries:].reshape(ROWS * queries, -1)
    prediction = predict(params["head"], m, asked, split).reshape(target.shape)
    return jnp.mean(jnp.square(prediction - target)), state


def make_updates(size: int, width: int, queries: int, fast: bool, split: bool):
    """Return a function that runs UPDATES updates, and its first argument."""
    params = init(size, width)
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(5e-4))
    keys = jax.random.split(jax.random.key(1), 3)
    x = jax.random.normal(keys[0], (ROWS, WINDOW, INPUT))
    first = jnp.zeros((ROWS, WINDOW), bool).at[:, 7].set(jnp.arange(ROWS) % 8 == 0)
    question = jax.random.normal(keys[1], (ROWS, queries, TARGETS, QUESTION))
    target = jax.random.normal(keys[2], (ROWS, queries, TARGETS))

    def update(carry, _):
        params, slots, state = carry
        gradients, state = jax.grad(loss, has_aux=True)(
            params, x, first, question, target, state, fast, split
        )
        steps, slots = optimizer.update(gradients, slots)
        return (optax.apply_updates(params, steps), slots, state), None

    state = jax.tree.map(lambda a: jnp.zeros((ROWS, *a.shape)), params["memory"].initial_state())
    run = jax.jit(lambda carry: jax.lax.scan(update, carry, None, UPDATES)[0])
    return run, (params, optimizer.init(params), state)


def timed(forms: dict, rounds: int) -> dict:
    """Time the forms in turn. Return sequence-steps a second, each from its median round."""
    carries = {name: run(carry) for name, (run, carry) in forms.items()}
    times = {name: [] for name in forms}
    for _, name in itertools.product(range(rounds), forms):
        jax.block_until_ready(carries)
        start = time.perf_counter()
        carries[name] = jax.block_until_ready(forms[name][0](carries[name]))
        times[name].append((time.perf_counter() - start) / UPDATES)
    return {n: round(ROWS * WINDOW / sorted(t)[len(t) // 2]) for n, t in times.items()}


def sgemm_gflops(m: int, k: int, n: int, repeats: int = 50) -> float:
    a, b = jnp.ones((m, k)), jnp.ones((k, n))
    product, best = jax.jit(jnp.dot), float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        product(a, b).block_until_ready()
        best = min(best, time.perf_counter() - start)
    return 2e-9 * m * k * n / best


def speeds(cell: Cell) -> dict:
    """Time the forms of one program in turn, and this machine's matrix products."""
    size, mode = cell.labels["program"].split("-")
    queries = WINDOW if mode == "every" else 1
    forms = {
        form: make_updates(*SIZES[size], queries, fast, split)
        for form, fast, split in [
            ("plain", False, False),
            ("fast-memory", True, False),
            ("fast", True, True),
        ]
    }
    found = timed(forms, 1 if cell.quick else cell.row.spec["rounds"])
    return {**found, "sgemm_gflops": round(sgemm_gflops(1280, 512, 512), 1)}
