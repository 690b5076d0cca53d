import jax
import jax.numpy as jnp
import numpy as np
import pytest

from memup.core.errors import MemupError
from memup.envs.image_cue import ImageCue

LENGTH, SIDE, EPISODES = 30, 16, 64


@pytest.fixture(scope="module")
def played():
    """Frames [T + 1, N, S, S, 3], rewards and successes [T + 1, N]; the last action is always 1."""
    env = ImageCue(LENGTH, SIDE)

    def episode(key):
        first, rest = key, jax.random.split(jax.random.fold_in(key, 1), LENGTH)
        state, begun = env.reset(key=first)
        _, steps = jax.lax.scan(lambda state, key: env.step(state, 1, key=key), state, rest)
        return jax.tree.map(lambda a, b: jnp.concatenate([a[None], b]), begun, steps)

    keys = jax.random.split(jax.random.key(0), EPISODES)
    steps = jax.jit(jax.vmap(episode, out_axes=1))(keys)
    return {name: np.asarray(value) for name, value in steps._asdict().items()}


def shown(frames, colour):
    """Return how many pixels of each frame are exactly of a colour."""
    return (frames == np.array(colour, np.uint8)).all(-1).sum((-1, -2))


def test_one_early_frame_shows_the_colour_that_decides(played):
    red, green = (shown(played["obs"], c) for c in ((255, 0, 0), (0, 255, 0)))
    cues = (red > 0) | (green > 0)
    assert (cues.sum(0) == 1).all(), "in one frame of each episode"
    assert set(np.argmax(cues, axis=0)) == {0, 1, 2}, "anywhere in the first tenth"
    assert set(np.maximum(red, green).max(0)) == {9}, "3 x 3 pixels, whole"
    was_green = green.any(0)
    assert 16 <= was_green.sum() <= 48
    np.testing.assert_array_equal(played["reward"][-1], np.where(was_green, 1, -1))
    np.testing.assert_array_equal(played["success"][-1], was_green)
    assert not played["reward"][:-1].any()


def test_the_question_stands_in_the_last_frame_only(played):
    white = shown(played["obs"], (255, 255, 255))
    assert (white[LENGTH - 1] == 2 * SIDE).all() and white.sum() == 2 * SIDE * EPISODES
    assert played["terminated"][-1].all() and not played["terminated"][:-1].any()
    assert not played["obs"][-1].any()


def test_other_squares_and_noise_are_everywhere_and_tell_nothing(played):
    frames = played["obs"][:LENGTH]
    blue, yellow = (shown(frames, c) for c in ((0, 0, 255), (255, 255, 0)))
    assert 0.4 < ((blue > 0) | (yellow > 0)).mean() < 0.6
    dim = frames[frames < 64]
    assert 28 < dim.mean() < 35 and set(np.unique(dim)) == set(range(64))
    # No two frames are alike, and neighbours in one are not either.
    assert len(np.unique(frames.reshape(-1, SIDE * SIDE * 3), axis=0)) == LENGTH * EPISODES
    pairs = frames[:, :, 0, :2, 0].reshape(-1, 2).astype(float)
    assert abs(np.corrcoef(pairs[(pairs < 64).all(1)].T)[0, 1]) < 0.1


def test_the_place_of_the_cue_is_random(played):
    frames = played["obs"]
    cue = (frames == [255, 0, 0]).all(-1) | (frames == [0, 255, 0]).all(-1)
    rows, columns = cue.any((0, 3)), cue.any((0, 2))
    assert len(set(np.argmax(rows, axis=1))) > 8 and len(set(np.argmax(columns, axis=1))) > 8


@pytest.mark.parametrize(("length", "side"), [(1, 64), (10, 7)])
def test_what_makes_no_task_is_refused(length, side):
    with pytest.raises(MemupError, match="expected at least"):
        ImageCue(length, side)
