"""Every space: stored and read again, played with random actions and by ppo, and learned from."""

import gymnasium
import jax
import numpy as np
import pytest

import memup
from memup.acting.make import vector_env
from memup.acting.recorder import EpisodeRecorder
from memup.acting.rounds import play_round
from memup.agents.random import RandomAgent
from memup.core.spaces import (
    Box,
    Dict,
    Discrete,
    MultiBinary,
    MultiDiscrete,
    Tuple,
    from_json,
    split,
    to_json,
)
from memup.data.infer import infer_spaces
from memup.data.queries import look_up
from memup.data.store import EpisodeStore
from memup.envs.adapters.gymnasium import GymnasiumVector
from memup.envs.adapters.gymnasium_spaces import to_gymnasium

SPACES = {
    "discrete": Discrete(3),
    "multi-discrete": MultiDiscrete((2, 3)),
    "multi-binary": MultiBinary(3),
    "float": Box((2,), low=(-2.0, 0.0), high=(2.0, 1.0)),
    "uint8": Box((3,), "uint8", 0.0, 255.0),
    "int": Box((2,), "int32", -5.0, 9.0),
    "image": Box((16, 16, 3), "uint8", 0.0, 255.0),
    "dict": Dict({"go": Box((), low=-1.0, high=1.0), "say": Discrete(2)}),
    "tree": Tuple((Discrete(3), Dict({"b": MultiBinary(2), "a": Tuple((MultiDiscrete((2, 2)),))}))),
}
STEPS = 6


def drawn(space, steps=STEPS):
    """Random values of a space, leaves [steps, ...], as a store has them."""
    given = to_gymnasium(space)
    given.seed(0)
    values = [split(space, given.sample()) for _ in range(steps)]
    return {name: np.stack([v[name] for v in values]) for name in values[0]}


@pytest.mark.parametrize("place", ["memory", "disk"])
@pytest.mark.parametrize("name", SPACES)
def test_values_and_spaces_come_back_from_a_store(tmp_path, name, place):
    space, path = SPACES[name], tmp_path / "store" if place == "disk" else None
    leaves = drawn(space)
    episode = {**leaves, "action": np.zeros(STEPS, np.int8), "reward": np.zeros(STEPS)}
    store = EpisodeStore.from_episodes([episode], path, None, space, Discrete(2))
    store = EpisodeStore.open(path) if path else store
    assert infer_spaces(store) == (space, Discrete(2))
    assert from_json(to_json(space)) == space
    found = split(space, look_up(store, space, np.arange(STEPS)))
    for leaf, values in leaves.items():
        np.testing.assert_array_equal(found[leaf], values)


class Play(gymnasium.Env):
    """Three steps of random observations; an action outside its space is an error."""

    def __init__(self, seen, done):
        self.observation_space, self.action_space = to_gymnasium(seen), to_gymnasium(done)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.left = 3
        return self.observation_space.sample(), {}

    def step(self, action):
        action = jax.tree.map(np.asarray, action)
        assert self.action_space.contains(jax.tree.map(_scalar, action)), action
        self.left -= 1
        return self.observation_space.sample(), float(self.left % 2), not self.left, False, {}


def _scalar(leaf):
    return leaf if leaf.ndim or leaf.dtype.kind == "f" else np.int64(leaf)


gymnasium.register("memup-test/Play-v0", Play)
TINY = {
    "memory": "rnn",
    "memory.size": 3,
    "collect.episodes": 8,
    "collect.environments": 4,
    "detect.updates": 50,
    "method.updates": 4,
    "method.updates_per_call": 2,
    "method.batch_size": 4,
    "method.window": 2,
    "method.width": 4,
    "encoder.size": 4,
    "evaluate.episodes": 4,
}
AGENT = {
    "agent": "ppo",
    "agent.steps": 16,
    "agent.environments": 4,
    "agent.rollout": 4,
    "agent.minibatches": 1,
    "agent.epochs": 1,
    "agent.hidden": 4,
}
ACTED = {name: space for name, space in SPACES.items() if name != "image"}


@pytest.mark.parametrize("name", SPACES)
def test_random_play_in_gymnasium_is_recorded(name, key):
    seen, done = SPACES[name], ACTED.get(name, Discrete(2))
    env = vector_env(GymnasiumVector("memup-test/Play-v0", 2, seen=seen, done=done), 2)
    assert (env.observation_space, env.action_space) == (seen, done)
    store = EpisodeStore()
    recorder = EpisodeRecorder(seen, done, env.stats(1), store)
    play_round(env, RandomAgent(done), (), recorder, key=key)
    recorder.add_to_store()
    assert len(store) == 2 and store.steps == 8
    assert infer_spaces(store) == (seen, done), "every value is of its space"
    env.close()


@pytest.mark.parametrize(
    ("seen", "done"),
    [(SPACES["tree"], SPACES["tree"])],
    ids=["tree"],
)
def test_two_phases_and_an_agent_in_a_loop_of_one_s_own(seen, done):
    gymnasium.register("memup-test/Played-v0", Play, kwargs={"seen": seen, "done": done})
    try:
        run = memup.train(memup.spec(env="gym:memup-test/Played-v0", **TINY, **AGENT))
    finally:
        del gymnasium.registry["memup-test/Played-v0"]
    assert np.isfinite(run.results[-1]["return_mean"])
    model = run.model
    env = memup.adapt(Play(seen, done))
    obs, _ = env.reset(seed=0)
    carry, action = model.act(model.begin(), obs)
    obs, reward, *_ = env.step(action)
    model.act(carry, obs, reward=reward)


def test_labels_of_sequences():
    seen = SPACES["tree"]
    labels = np.array([100000040, 100000041, -1, 7, 7, 7])
    episodes = [{**drawn(seen), "label": labels} for _ in range(40)]
    store = EpisodeStore.from_episodes(episodes, observation_space=seen)
    spec = memup.spec(training="supervised", method__target="label", **TINY)
    run = memup.train(spec, store=store)
    assert run.results[-1]["outcomes"] == "classification, 3 classes"
    assert run.model.classes.tolist() == [7, 100000040, 100000041]
    said = run.model.predict(store)[0]["value"]
    assert said.dtype == np.int64 and set(said.tolist()) <= set(labels.tolist())
