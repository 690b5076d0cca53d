"""Ours in Gymnasium, Gymnasium's in ours."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from memup.core.errors import MemupError
from memup.core.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, split
from memup.envs.adapters.gymnasium import GymnasiumVector
from memup.envs.adapters.to_gymnasium import to_gymnasium
from memup.envs.registration import FAMILIES
from memup.envs.table import make_env
from memup.envs.tmaze import TMaze


class Cues(gymnasium.Env):
    """Nested observations of every kind; the episode lasts three steps."""

    def __init__(self, actions=None):
        spaces = gymnasium.spaces
        self.observation_space = spaces.Dict(
            {
                "cue": spaces.Discrete(3, start=5),
                "body": spaces.Dict({"pose": spaces.Box(-1.0, 1.0, (2,), np.float64)}),
                "lamps": spaces.MultiBinary(4),
                "dials": spaces.MultiDiscrete([3, 7]),
            }
        )
        self.action_space = actions or spaces.Discrete(2, start=1)

    def _obs(self):
        return {
            "cue": 5 + self.t % 3,
            "body": {"pose": self.np_random.uniform(-1, 1, 2)},
            "lamps": np.ones(4, np.int8),
            "dials": np.array([self.t, 6]),
        }

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.t = 0
        return self._obs(), {}

    def step(self, action):
        assert self.action_space.contains(action)
        self.t += 1
        over = self.t == 2
        info = {"is_success": bool(action == 2)} if over else {}
        return self._obs(), float(action), over, False, info


gymnasium.register("memup-test/Cues-v0", Cues)


@pytest.mark.parametrize("env_id", FAMILIES)
def test_gymnasium_s_own_checker_is_content(env_id):
    check_env(gymnasium.make(env_id).unwrapped)


def test_settings_reach_the_environment_and_bad_ones_are_refused():
    env = gymnasium.make("memup/NoisyTMaze-v0", length=3, mode="LN")
    obs, _ = env.reset(seed=4)
    action = int(obs[0] > 0)
    results = [env.step(action) for _ in range(3)]
    assert [r[1] for r in results] == [0.0, 0.0, 4.0]
    assert [r[2] for r in results] == [False, False, True]
    assert results[2][4] == {"success": 1.0} and results[0][4] == {}
    with pytest.raises(MemupError, match="length=0"):
        gymnasium.make("memup/NoisyTMaze-v0", length=0)


def test_to_gymnasium_is_determined_by_the_seed():
    env = to_gymnasium(TMaze(4))

    def episode(seed):
        observations = [env.reset(seed=seed)[0]]
        terminated = False
        while not terminated:
            obs, _, terminated, _, _ = env.step(1)
            observations.append(obs)
        return np.stack(observations)

    np.testing.assert_array_equal(episode(3), episode(3))
    assert any(not np.array_equal(episode(3), episode(s)) for s in range(4, 8))
    with pytest.raises(gymnasium.error.ResetNeeded):
        to_gymnasium(TMaze(4)).step(0)


class TestVector:
    def test_dict_observations_come_as_our_spaces_say(self):
        env = GymnasiumVector("memup-test/Cues-v0", 2)
        assert env.action_space == Discrete(2)
        assert env.observation_space == Dict(
            {
                "cue": Discrete(3),
                "body": Dict({"pose": Box((2,), "float32", -1.0, 1.0)}),
                "lamps": MultiBinary(4),
                "dials": MultiDiscrete((3, 7)),
            }
        )
        leaves = split(env.observation_space, env.reset(0).obs)
        assert {n: (x.shape, x.dtype.name) for n, x in leaves.items()} == {
            "obs.body.pose": ((2, 2), "float32"),
            "obs.cue": ((2,), "int32"),
            "obs.dials": ((2, 2), "int32"),
            "obs.lamps": ((2, 4), "int8"),
        }
        np.testing.assert_array_equal(leaves["obs.cue"], [0, 0])
        env.close()

    def test_auto_reset_is_of_the_next_step_kind(self):
        env = GymnasiumVector("memup-test/Cues-v0", 2)
        steps = [env.reset(0)] + [env.step([0, 1]) for _ in range(4)]
        np.testing.assert_array_equal([s.obs["cue"][0] for s in steps], [0, 1, 2, 0, 1])
        np.testing.assert_array_equal([s.first[0] for s in steps], [1, 0, 0, 1, 0])
        np.testing.assert_array_equal([s.terminated[0] for s in steps], [0, 0, 1, 0, 0])
        np.testing.assert_array_equal([s.reward[0] for s in steps], [0, 1, 1, 0, 1])
        np.testing.assert_array_equal(steps[2].success, [0, 1])
        assert np.isnan(steps[1].success).all() and np.isnan(steps[3].success).all()
        dtypes = {f: getattr(steps[2], f).dtype.name for f in ("reward", "success", "first")}
        assert dtypes == {"reward": "float32", "success": "float32", "first": "bool"}
        env.close()

    def test_steps_already_returned_do_not_change(self):
        env = GymnasiumVector("CartPole-v1", 2)
        begun = env.reset(0)
        kept = begun.obs.copy()
        env.step([0, 0])
        np.testing.assert_array_equal(begun.obs, kept)
        env.close()

    def test_the_seed_determines_everything(self):
        env = make_env("gym:CartPole-v1", n=3)

        def run(seed):
            steps = [env.reset(seed)] + [env.step([1, 0, 1]) for _ in range(30)]
            assert any(s.first.any() for s in steps[1:])
            return np.stack([s.obs for s in steps])

        np.testing.assert_array_equal(run(7), run(7))
        assert not np.array_equal(run(7), run(8))
        assert len(set(run(7)[0, :, 0].tolist())) == 3
        env.close()

    def test_ours_go_through_gymnasium_and_come_back(self):
        env = GymnasiumVector("memup/NoisyTMaze-v0", 2, length=2, mode="LN")
        begun = env.reset(0)
        assert env.observation_space == TMaze(2).observation_space
        actions = (begun.obs[:, 0] > 0).astype(np.int32)
        env.step(actions)
        last = env.step(actions)
        np.testing.assert_array_equal(last.reward, [4, 4])
        np.testing.assert_array_equal(last.success, [1, 1])
        assert last.terminated.all() and not last.obs.any() and last.obs.dtype == np.int8
        assert env.step(actions).first.all()
        env.close()

    def test_a_module_in_the_working_directory_is_imported_first(self, tmp_path, monkeypatch):
        (tmp_path / "own_maze.py").write_text(
            "import gymnasium\n"
            "gymnasium.register('OwnMaze-v0', 'gymnasium.envs.classic_control:CartPoleEnv')\n"
        )
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", list(sys.path))
        env = make_env("gym:own_maze:OwnMaze-v0")
        assert env.action_space == Discrete(2) and env.n == 1
        env.close()

    def test_no_copies_are_refused(self):
        with pytest.raises(MemupError, match="n=0"):
            GymnasiumVector("CartPole-v1", 0)


@pytest.mark.parametrize("imports", ["memup, gymnasium", "gymnasium, memup", "gymnasium"])
def test_names_are_known_in_any_order_of_imports(imports):
    env_id = "memup/NoisyTMaze-v0" if "memup" in imports else "memup:memup/NoisyTMaze-v0"
    code = f"import {imports}\nprint(gymnasium.make({env_id!r}, length=1000).spec.id)"
    out = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert out.split()[0] == "memup/NoisyTMaze-v0"


def test_memup_alone_does_not_load_gymnasium():
    code = "import sys, memup; print({'gymnasium', 'numpy', 'jax'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"
