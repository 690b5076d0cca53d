"""Big Bird: what it costs beside dense attention, and a needle that a window cannot find.

cost: an encoder layer and its gradient at n = 1,024 to 8,192, each in a process of its own. Time is
the least of several runs, on the clock and of the processor; memory is what the compiled program
asks for and by how much the resident set's peak grows. "Dense" is the same layer with
`jax.nn.dot_product_attention`. Above 32 MiB, glibc gives that memory back after each run and the
next run pays for every page anew: hence the page faults of a run.

needle: n = 1,024 random tokens of which a flag marks one; which of eight it is, is asked of the
first position (chance: 12.5 %). Two layers, with and without global and random blocks. Training
begins with short sequences, where the one key that counts has a larger share of the attention. A
lesson ends when the loss is low or its updates are used up.
"""

import resource
import sys
import time
from collections.abc import Callable
from functools import partial

from benchmarks.suite import Cell

COST = {"size": 64, "heads": 2, "block": 32, "window": 3, "global_blocks": 1, "random": 3}
NEEDLE = {
    "lessons": (64, 128, 256, 512, 1024), "steps_per_update": 4096, "updates_per_lesson": 300,
    "check": 50, "enough": 0.02, "learning_rate": 3e-3, "warm_up": 100,
    "tokens": 8, "size": 32, "heads": 1, "layers": 2, "block": 16, "tested": 4096,
}  # fmt: skip
PATTERNS = {
    "bigbird": {"window": 3, "global_blocks": 1, "random": 3},
    "window": {"window": 3, "global_blocks": 0, "random": 0},
}


def peak_mib() -> float:
    """Return the peak of this process's resident set."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def page_faults() -> int:
    """Return how many pages this process has been given so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def timed(run: Callable, repeats: int) -> tuple[float, float]:
    """Return the least time of several runs, and the least processor time, in milliseconds."""
    wall, cpu = [], []
    for _ in range(repeats):
        begin = time.perf_counter(), time.process_time()
        run()
        wall.append(time.perf_counter() - begin[0])
        cpu.append(time.process_time() - begin[1])
    return min(wall) * 1e3, min(cpu) * 1e3


def cost(kind: str, steps: int, repeats: int) -> dict:
    """Compile and run a layer with its gradient in this process."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from memup.nn.bigbird import Layer
    from memup.ops.block_sparse import Pattern

    sizes = {k: v for k, v in COST.items() if k not in {"size", "heads"}}
    layer = Layer(COST["size"], COST["heads"], Pattern(**sizes), key=jax.random.key(0))
    x = jax.random.normal(jax.random.key(1), (steps, COST["size"]))
    weights, static = eqx.partition(layer, eqx.is_array)

    def dense(layer: Layer, x: jax.Array) -> jax.Array:
        normed = layer.norm_attention(x)
        q, (k, v) = layer.attention.queries(normed), layer.attention.keys_and_values(normed)
        h = x + layer.attention.join(jax.nn.dot_product_attention(q, k, v))
        return h + layer.forward(layer.norm_forward(h))

    def loss(weights: Layer, x: jax.Array) -> jax.Array:
        layer = eqx.combine(weights, static)
        return jnp.sum((layer(x) if kind == "bigbird" else dense(layer, x)) ** 2)

    begin = time.perf_counter()
    program = jax.jit(jax.grad(loss, (0, 1))).lower(weights, x).compile()
    compile_s = time.perf_counter() - begin
    before, faults = peak_mib(), page_faults()
    ms, cpu_ms = timed(lambda: jax.block_until_ready(program(weights, x)), repeats)
    return {
        "ms": round(ms, 2),
        "cpu_ms": round(cpu_ms, 2),
        "page_faults": round((page_faults() - faults) / repeats),
        "program_mib": round(program.memory_analysis().temp_size_in_bytes / 2**20, 2),
        "resident_mib": round(peak_mib() - before, 1),
        "compile_s": round(compile_s, 2),
    }


def batch(key: object, rows: int, steps: int) -> tuple:
    """Return inputs [rows, n, tokens + 2], the position of each needle, and its token."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(key, 2)
    token = jax.random.randint(keys[0], (rows, steps), 0, NEEDLE["tokens"])
    at = jax.random.randint(keys[1], (rows,), 1, steps)
    positions = jnp.arange(steps)
    flag = (positions[None] == at[:, None])[..., None]
    head = jnp.broadcast_to((positions == 0)[None, :, None], (rows, steps, 1))
    hot = jax.nn.one_hot(token, NEEDLE["tokens"]) * ~head
    # Embeddings are as large as the waves of their positions (Vaswani et al. 2017, section 3.4).
    xs = NEEDLE["size"] ** 0.5 * jnp.concatenate([hot, flag, head], axis=2).astype(jnp.float32)
    return xs, at, token[jnp.arange(rows), at]


def learner(kind: str, seed: int) -> tuple[object, Callable, Callable]:
    """Return the initial state, `learn(state, key, n)` and `answers(state, xs)`."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp
    import optax

    from memup.nn.bigbird import BigBird
    from memup.ops.block_sparse import Pattern

    pattern = Pattern(NEEDLE["block"], **PATTERNS[kind], seed=(seed,))
    keys = jax.random.split(jax.random.key(seed))
    sizes = (NEEDLE["tokens"] + 2, NEEDLE["size"], NEEDLE["layers"], NEEDLE["heads"], pattern)
    model = BigBird(*sizes, key=keys[0])
    read = eqx.nn.Linear(NEEDLE["size"], NEEDLE["tokens"], key=keys[1])
    weights, static = eqx.partition((model, read), eqx.is_array)
    rate = optax.linear_schedule(0, NEEDLE["learning_rate"], NEEDLE["warm_up"])
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(rate))

    def logits(weights: object, xs: jax.Array) -> jax.Array:
        model, read = eqx.combine(weights, static)
        return jax.vmap(lambda x: read(model(x)[0]))(xs)

    def loss(weights: object, xs: jax.Array, label: jax.Array) -> jax.Array:
        losses = optax.softmax_cross_entropy_with_integer_labels(logits(weights, xs), label)
        return jnp.mean(losses)

    @partial(jax.jit, static_argnums=2)
    def learn(state: tuple, key: jax.Array, steps: int) -> tuple:
        weights, memory = state
        xs, _, label = batch(key, NEEDLE["steps_per_update"] // steps, steps)
        value, slope = jax.value_and_grad(loss)(weights, xs, label)
        moved, memory = optimiser.update(slope, memory)
        return (optax.apply_updates(weights, moved), memory), value

    answers = jax.jit(lambda state, xs: jnp.argmax(logits(state[0], xs), axis=1))
    return (weights, optimiser.init(weights)), learn, answers


def test(state: object, answers: Callable, far: int, seed: int) -> dict:
    """Return accuracy over fresh sequences, and over those whose needle is `far` or farther."""
    import jax
    import numpy as np

    right, beyond = [], []
    for i in range(NEEDLE["tested"] // 64):
        key = jax.random.fold_in(jax.random.key(1_000_000 + seed), i)
        xs, at, label = batch(key, 64, NEEDLE["lessons"][-1])
        right.append(np.asarray(answers(state, xs) == label))
        beyond.append(np.asarray(at >= far))
    right, beyond = np.concatenate(right), np.concatenate(beyond)
    return {"accuracy": float(right.mean()), "accuracy_beyond_window": float(right[beyond].mean())}


def lesson(state: object, learn: Callable, key: object, steps: int) -> tuple[object, list[float]]:
    """Train with sequences of one length; return the state and the loss of every update."""
    import jax
    import numpy as np

    losses, values = [], []
    for update in range(NEEDLE["updates_per_lesson"]):
        state, value = learn(state, jax.random.fold_in(key, update), steps)
        values.append(value)
        if len(values) == NEEDLE["check"]:
            losses, values = [*losses, *np.stack(values).tolist()], []
            recent = float(np.mean(losses[-NEEDLE["check"] :]))
            print(f"n={steps}: {len(losses)} updates, loss {recent:.4f}", file=sys.stderr)
            if recent < NEEDLE["enough"]:
                break
    return state, losses


def needle(kind: str, seed: int, lessons: int) -> dict:
    """Train one seed, lesson by lesson; test it at the length of the last."""
    import jax
    import numpy as np

    state, learn, answers = learner(kind, seed)
    # Two layers of one block on either side: the first position sees three blocks, no more.
    far = NEEDLE["block"] * (1 + NEEDLE["layers"] * (PATTERNS[kind]["window"] // 2))
    begin, key, updates = time.perf_counter(), jax.random.key(seed), {}
    for steps in NEEDLE["lessons"][:lessons]:
        state, losses = lesson(state, learn, jax.random.fold_in(key, steps), steps)
        updates[steps] = len(losses)
    recent = round(float(np.mean(losses[-NEEDLE["check"] :])), 4)
    found = {"updates": updates, "loss": recent}
    found["chance"] = 1 / NEEDLE["tokens"]
    found |= test(state, answers, far, seed)
    return {**found, "far_from": far, "wall_s": round(time.perf_counter() - begin, 1)}


def measure(cell: Cell) -> dict:
    """Measure one part."""
    labels = cell.labels
    if labels["part"] == "cost":
        return cost(labels["kind"], labels["steps"], 3 if cell.quick else cell.row.spec["repeats"])
    return needle(labels["kind"], labels["seed"], 1 if cell.quick else len(NEEDLE["lessons"]))
