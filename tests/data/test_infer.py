"""What the spaces of a user's arrays are taken to be."""

import json

import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Tuple
from memup.data.infer import infer_spaces
from memup.data.store import EpisodeStore


def spaces(**fields):
    named = {name.replace("__", "."): value for name, value in fields.items()}
    return infer_spaces(EpisodeStore.from_episodes([named]))


@pytest.mark.parametrize(
    ("obs", "space"),
    [
        (np.array([0, 3, 1], np.int64), Discrete(4)),
        (np.array([0, -3, 1], np.int8), Box((), "int8")),
        (np.array([0, 10**9], np.int64), Box((), "float64")),
        (np.array([0, 2**62], np.int64), Box((), "float64")),
        (np.array([False, False]), Discrete(2)),
        (np.zeros((2, 3), bool), MultiBinary(3)),
        (np.zeros((2, 3), np.uint8), Box((3,), "uint8")),
        (np.zeros((2, 3), ">f4"), Box((3,), "float32")),
    ],
)
def test_observations(obs, space):
    assert spaces(obs=obs) == (space, None)


@pytest.mark.parametrize(
    ("action", "space"),
    [
        (np.array([0, 2], np.int8), Discrete(3)),
        (np.array([0.5, -1], np.float32), Box(())),
        (np.zeros((2, 3), np.float32), Box((3,))),
        (np.array([[0, 1], [2, 0]]), MultiDiscrete((3, 3))),
        (np.array([[0], [2]]), MultiDiscrete((3,))),
        (np.array([False, False]), Discrete(2)),
        (np.zeros((2, 3), bool), MultiBinary(3)),
    ],
)
def test_actions(action, space):
    zero = np.zeros(2, np.float32)
    assert spaces(obs__x=zero, action=action, reward=zero) == (Dict({"x": Box(())}), space)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"x": np.zeros(2)}, "no field 'obs'"),
        ({"obs": np.zeros(2), "obs__extra": np.zeros(2)}, "'obs' and 'obs.extra'"),
        ({"obs": np.zeros(2, np.complex64)}, "'obs' is complex64: expected real numbers"),
        ({"obs": np.zeros(2, np.float128)}, "'obs' is float128: expected real numbers"),
        ({"obs": np.zeros((2, 0))}, "'obs' is .0. a step: it holds nothing"),
        ({"obs": np.zeros(2), "action": np.array([-1, 0]), "reward": np.zeros(2)}, "from -1 to 0"),
    ],
)
def test_what_cannot_be_read_is_one_line(fields, told):
    with pytest.raises(MemupError, match=told):
        spaces(**fields)


STEPS = {
    "obs.0": np.array([0, 3], np.int8),
    "obs.1.x": np.zeros((2, 2), np.float32),
    "action.a": np.array([1, 0]),
    "action.b": np.zeros((2, 1), np.float32),
    "reward": np.zeros(2),
}
SEEN, ACTED = Tuple((Discrete(7), Dict({"x": Box((2,))}))), Dict({"a": Discrete(3), "b": Box((1,))})


@pytest.mark.parametrize("place", [None, "disk"])
def test_a_store_says_its_spaces(tmp_path, place):
    path = tmp_path / "store" if place else None
    store = EpisodeStore.from_episodes([STEPS], path, None, SEEN, ACTED)
    store = EpisodeStore.open(path) if path else store
    assert infer_spaces(store) == (SEEN, ACTED)
    store.describe(SEEN, None)
    assert infer_spaces(store) == (SEEN, Dict({"a": Discrete(2), "b": Box((1,))}))


def test_a_store_of_an_earlier_version_opens(tmp_path):
    EpisodeStore.from_episodes([STEPS], tmp_path / "store", None, SEEN, ACTED)
    manifest = tmp_path / "store" / "store.json"
    found = json.loads(manifest.read_text())
    assert found.pop("spaces")["action"]["kind"] == "Dict"
    manifest.write_text(json.dumps(found))
    store = EpisodeStore.open(tmp_path / "store")
    assert infer_spaces(store)[0] == Dict({"0": Discrete(4), "1.x": Box((2,))})


def test_a_manifest_that_is_nested_without_end_is_one_line(tmp_path):
    EpisodeStore.from_episodes([STEPS], tmp_path / "store")
    (tmp_path / "store" / "store.json").write_text("[" * 100_000)
    with pytest.raises(MemupError, match="does not say what it is"):
        EpisodeStore.open(tmp_path / "store")


def test_spaces_and_fields_that_differ_are_refused():
    with pytest.raises(MemupError, match=r"'obs.1.x' is .2. a step; its space says .3."):
        EpisodeStore.from_episodes([STEPS], observation_space=Dict({"1": Dict({"x": Box((3,))})}))
    with pytest.raises(MemupError, match=r"has 'obs'; the store has obs\.0"):
        EpisodeStore.from_episodes([STEPS], observation_space=Box(()))
    store = EpisodeStore.from_episodes(
        [STEPS], observation_space=Tuple((Discrete(3), SEEN.spaces[1]))
    )
    with pytest.raises(MemupError, match=r"'obs.0' of episode 0 holds 3; expected a value of Disc"):
        infer_spaces(store)


def test_a_folder_is_filled_once(tmp_path):
    EpisodeStore.from_episodes([STEPS], tmp_path / "store")
    with pytest.raises(MemupError, match="there is a store of 1 episodes; expected a new folder"):
        EpisodeStore.from_episodes([STEPS], tmp_path / "store")


def test_what_nothing_reads_is_named_in_one_line():
    zero = np.zeros(2)
    with pytest.warns(
        UserWarning, match=r"'weight', 'action' is used by nothing; actions are"
    ) as w:
        assert spaces(obs=zero, weight=zero, action=zero, label=zero) == (Box((), "float64"), None)
    assert len(w) == 1
