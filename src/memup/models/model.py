"""A trained model apart from its run: it reads, answers and acts; numpy in, numpy out."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import PyTree

from memup.agents.actor import begin_actors, read as read_step
from memup.core.errors import MemupError, require, unknown_name
from memup.core.spaces import Space, flatten, join
from memup.core.tree import Params, ravel, rebuilder
from memup.core.types import Key, TimeStep
from memup.models import file
from memup.models.fields import convert, leaves_of
from memup.models.reading import Answerer, MemoryReader
from memup.models.sequences import Given, Sequences

STEPS = ("every", "last")


@dataclass(frozen=True)
class Carry:
    """What a model remembers between two steps; give it back with the next one.

    Attributes:
        state: of memory and policy, and the last action, leaves [B, ...].
        begun: False where the next step begins an episode, [B].
        acted: whether the last action is known, as `act` chose it.
        count: steps so far.
        key: of what is drawn.
        single: whether observations and actions come without an axis for B.
    """

    state: PyTree
    begun: np.ndarray
    acted: bool
    count: int
    key: Key
    single: bool


class Model:
    """A trained memory with the predictor and the policy that were trained on it, as far as any.

    `memup.load` makes it. It needs no environment, no data and no run directory. All arguments and
    results are numpy arrays. One call of `step` or of `act` is one step of time.

    Args:
        held: what a model file holds.
    """

    def __init__(self, held: file.Contents):
        self.held = held
        networks = held.networks or {}
        own = held.model.memory if held.model is not None else None
        # Where training went on while the agent acted, its memory lags behind the predictor's.
        acting = networks["model"].memory if "model" in networks else networks.get("memory")
        self._memory = own if held.networks is None else acting

    @classmethod
    def open(cls, path: str | Path) -> "Model":
        """Read a model file, or the one of a run directory; see `memup.load`."""
        path = Path(path)
        if path.is_dir():
            run, path = path, path / file.NAME
            require(
                path.exists(),
                f"{run} has no {file.NAME}: expected a run that has trained a memory or an agent",
            )
        return cls(file.read(path))

    def save(self, path: str | Path) -> Path:
        """Write the model into one file, which stands alone.

        Raises:
            MemupError: the file cannot be written.
        """
        file.save(path, self.held)
        return Path(path)

    # -- what it is -------------------------------------------------------------------------

    @property
    def observation_space(self) -> Space:
        """What it sees at a step."""
        return self.held.blueprint.observation_space

    @property
    def action_space(self) -> Space | None:
        """What is done at a step; None where there are no actions."""
        return self.held.blueprint.action_space

    @property
    def options(self) -> dict[str, Any]:
        """The options that it was trained with."""
        return {n: v for n, v in self.held.blueprint.spec.items() if n not in file.SOURCES}

    @property
    def memory_size(self) -> int:
        """D, floats that the memory gives a step."""
        return self._own_memory().output_size

    @property
    def can_act(self) -> bool:
        """Whether it has a policy."""
        return self.held.networks is not None

    @property
    def can_predict(self) -> bool:
        """Whether it has a predictor."""
        return self.held.model is not None

    @property
    def classes(self) -> np.ndarray | None:
        """The values that an outcome can have, [A] or [O, A]; None where outcomes are real."""
        values = self._predicting().likelihood.classes()
        if values is None:
            return None
        labels = self.held.blueprint.labels
        return self._tidy(values if labels is None else labels)

    def __repr__(self) -> str:
        """Say what it is."""
        options, source = self.options, self.held.about.get("source")
        parts = [f"memory={options['memory']!r}"]
        parts += [f"predicts={options['method.target']!r}"] if self.can_predict else []
        parts += [f"agent={options['agent']!r}"] if self.can_act else []
        parts += [f"trained_on={source!r}"] if source else []
        return f"memup.Model({', '.join(parts)})"

    # -- step by step -----------------------------------------------------------------------

    def begin(self, batch: int | None = None, seed: int = 0) -> Carry:
        """Return what to give to the first step.

        Args:
            batch: B, sequences side by side. None: one, whose observations and actions have no
                axis for B.
            seed: of what is drawn.
        """
        require(batch is None or batch >= 1, f"batch={batch}: expected at least 1")
        rows = batch or 1
        if self.can_act:
            agent, state = self._agent
            carried = agent.begin(state, rows)
        else:
            carried = begin_actors(self._own_memory(), self.action_space, rows)
        begun = np.zeros(rows, bool)
        return Carry(carried, begun, False, 0, jax.random.key(seed), batch is None)

    def step(
        self,
        carry: Carry,
        obs: Any,
        prev_action: Any = None,
        reward: Any = None,
        first: Any = None,
    ) -> tuple[Carry, np.ndarray]:
        """Read one step.

        Args:
            carry: of the step before, or from `begin`.
            obs: the observation, leaves [B, ...], nested as the observation space is.
            prev_action: what was done before it, [B]; not needed where an episode begins.
            reward: what arrived with it, [B]; not needed where an episode begins.
            first: where an episode begins, [B]; by default at the first step after `begin`.

        Returns:
            What to give to the next step, and the memory after this one, float32 [B, D].

        Raises:
            MemupError: a field is missing, of another shape or outside its space.
        """
        params = self._memory_vector
        carry, now = self._now(carry, obs, prev_action, reward, first)
        state, m = self._step(params, carry.state, now)
        after = replace(carry, state=state, acted=False, count=carry.count + 1)
        return after, self._out(carry, m)

    def act(
        self,
        carry: Carry,
        obs: Any,
        prev_action: Any = None,
        reward: Any = None,
        first: Any = None,
        greedy: bool = True,
    ) -> tuple[Carry, Any]:
        """Read one step and choose an action.

        Args:
            carry: of the step before, or from `begin`.
            obs: see `step`.
            prev_action: what was done before it, [B], where that is not what `act` chose.
            reward: see `step`.
            first: see `step`.
            greedy: take the likeliest action, instead of drawing one by the seed of `begin`.

        Returns:
            What to give to the next step, and the actions, leaves [B, ...], as the action space
            has them: categories begin at 0. `memup.adapt` brings a Gymnasium environment to it.

        Raises:
            MemupError: the model has no policy; or as `step`.
        """
        agent_state = self._agent[1]
        carry, now = self._now(carry, obs, prev_action, reward, first)
        key = jax.random.fold_in(carry.key, carry.count)
        state, action = self._act(agent_state, carry.state, now, key, greedy=greedy)
        after = replace(carry, state=state, acted=True, count=carry.count + 1)
        return after, self._out(carry, action)

    def _now(
        self, carry: Carry, obs: Any, prev_action: Any, reward: Any, first: Any
    ) -> tuple[Carry, TimeStep]:
        """Check what was given; return the carry with the previous action, and the step."""
        count, where = len(carry.begun), f"step {carry.count}"
        seen = self._tree(carry, self.observation_space, obs, where, "obs")
        given = ~carry.begun if first is None else np.asarray(first, bool).reshape(-1)
        require(
            given.shape == (count,), f"{where}: first has {given.size} values; expected {count}"
        )
        known = bool(given.all()) or not self.action_space
        if not known and prev_action is None and not carry.acted:
            raise MemupError(
                f"{where}: prev_action is missing; expected the action that led to this "
                "observation, as `act` did not choose it"
            )
        if not known and reward is None:
            raise MemupError(
                f"{where}: reward is missing; expected what arrived with this observation"
            )
        state = carry.state
        if prev_action is not None and self.action_space:
            action = self._tree(carry, self.action_space, prev_action, where, "prev_action")
            state = state._replace(action=jax.tree.map(jnp.asarray, action))
        rewards = np.zeros(count, np.float32)
        if reward is not None:
            rewards = rewards + np.asarray(reward, np.float32)
            require(
                rewards.shape == (count,) and bool(np.isfinite(rewards).all()),
                f"{where}: reward is {reward!r}; expected {count} finite numbers",
            )
        no, unknown = np.zeros(count, bool), np.full(count, np.nan, np.float32)
        now = TimeStep(seen, rewards, no, no, given, unknown)
        return replace(carry, state=state, begun=np.ones(count, bool)), now

    def _tree(self, carry: Carry, space: Space, value: Any, where: str, name: str) -> PyTree:
        """Return a value of a space checked, with leaves [B, ...]."""
        axes, given = (len(carry.begun),), leaves_of(space, value, where, name)
        found = {}
        for field, leaf in flatten(space, name).items():
            array = convert(field, leaf, given[field], () if carry.single else axes, where)
            found[field] = array[None] if carry.single else array
        return join(space, found, name)

    def _out(self, carry: Carry, value: PyTree) -> Any:
        if carry.single:
            return jax.tree.map(lambda a: np.asarray(a)[0], value)
        return jax.tree.map(np.asarray, value)

    # -- whole sequences --------------------------------------------------------------------

    def memory_of(self, sequences: Given) -> list[np.ndarray]:
        """Return the memory after every step of some sequences: what `step` returns, one by one.

        Args:
            sequences: a list of dicts of arrays [T, ...] ("obs", and "action" and "reward" where
                there are actions), of any lengths; an EpisodeStore, or the path of one. Arrays may
                be memory-mapped: they are read by blocks.

        Returns:
            A float32 array [T, D] for each.

        Raises:
            MemupError: a field is missing, of another shape or outside its space.
        """
        asked = self.sequences(sequences)
        out: list[Any] = [None] * asked.count
        for numbers, memories in self._reader.batches(asked):
            for number, memory in zip(numbers, memories, strict=True):
                out[number] = memory
        return out

    def predict(self, sequences: Given, steps: str = "every") -> list[dict[str, np.ndarray]]:
        """Predict the outcome of steps: the label there, or what the action there brings.

        Args:
            sequences: see `memory_of`.
            steps: "every" step of each sequence, or the "last" one.

        Returns:
            For each sequence {"step": [n], "value": [n] or [n, O], and how sure that is}:
            "probability", [n, A] or [n, O, A], of each of `classes`; or "std", [n] or [n, O], of
            real outcomes; or "quantiles", [n, N].

        Raises:
            MemupError: the model has no predictor; or as `memory_of`.
        """
        asked = self.sequences(sequences)
        out: list[Any] = [None] * asked.count
        for number, _, answers in self.answers(asked, steps):
            out[number] = answers
        return out

    def sequences(self, given: Given) -> Sequences:
        """Return sequences that were checked, for `answers`; see `memory_of`."""
        return Sequences(given, self.held.blueprint)

    def answers(
        self, asked: Sequences, steps: str = "every"
    ) -> Iterator[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
        """Yield number, memory [T, D] and prediction of each sequence, a batch at a time.

        The memory is that which the predictor reads. The order is that of the lengths.
        """
        if steps not in STEPS:
            raise unknown_name("steps", steps, STEPS)
        reader, answerer = self._predictor
        labels = self.held.blueprint.labels
        for numbers, memories in reader.batches(asked):
            for number, memory in zip(numbers, memories, strict=True):
                which = np.arange(len(memory)) if steps == "every" else np.array([len(memory) - 1])
                said = answerer(asked, number, memory, which)
                if labels is not None:
                    place = said["value"].astype(np.int64)
                    said["value"] = labels[np.arange(len(labels)), place]
                tidy = {name: self._tidy(leaf, 1) for name, leaf in said.items()}
                yield number, memory, {"step": which, **tidy}

    def _tidy(self, values: np.ndarray, axis: int = 0) -> np.ndarray:
        """Drop the axis O of single numbers."""
        return values.squeeze(axis) if values.shape[axis] == 1 else values

    # -- parts ------------------------------------------------------------------------------

    def _own_memory(self) -> Any:
        require(
            self._memory is not None,
            f"agent {self.options['agent']!r} has no single memory to read; expected `act`",
        )
        return self._memory

    def _predicting(self) -> Any:
        require(
            self.held.model is not None,
            "the model has no predictor: end-to-end training has an agent alone",
        )
        return self.held.model

    @cached_property
    def _agent(self) -> Any:
        return self.held.agent()

    @cached_property
    def _memory_vector(self) -> Params:
        return ravel(self._own_memory())

    @cached_property
    def _reader(self) -> MemoryReader:
        return MemoryReader(self._own_memory())

    @cached_property
    def _predictor(self) -> tuple[MemoryReader, Answerer]:
        model = self._predicting()
        return MemoryReader(model.memory), Answerer(model)

    @cached_property
    def _step(self) -> Any:
        memory = self._own_memory()
        rebuild = rebuilder(lambda key: memory)

        def step(params: Params, state: Any, now: TimeStep) -> tuple[Any, Any]:
            rows, m = read_step(rebuild(params), state, now)
            return state._replace(memory=rows), m

        return jax.jit(step)

    @cached_property
    def _act(self) -> Any:
        agent = self._agent[0]

        @partial(jax.jit, static_argnames="greedy")
        def act(state: Any, carry: Any, now: TimeStep, key: Key, greedy: bool) -> tuple[Any, Any]:
            after, action, _ = agent.act(state, carry, now, key=key, greedy=greedy)
            return after, action

        return act
