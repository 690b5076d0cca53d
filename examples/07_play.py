"""Play a trained agent step by step in a Gymnasium environment; only the model file is needed.

Prints the share of episodes of Noisy T-Maze that succeed; chance is 0.5, expect above 0.95.

    python examples/07_play.py [--quick]
"""

import argparse
import tempfile
from pathlib import Path

import gymnasium

import memup


def train(length: int, path: Path) -> None:
    """Train an agent and write its model file."""
    spec = memup.spec(
        env=f"tmaze-{length}",
        memory="gru",
        memory__size=32,
        method__window=5,
        collect__episodes=500,
        detect__updates=200,
        method__batch_size=32,
        agent__hidden=32,
    )
    memup.train(spec).save(path)


def play(model: memup.Model, env: gymnasium.Env, seed: int) -> bool:
    """Play one episode; say whether it succeeded."""
    obs, info = env.reset(seed=seed)
    carry, reward, over = model.begin(), 0.0, False
    while not over:
        carry, action = model.act(carry, obs, reward=reward)
        obs, reward, terminated, truncated, info = env.step(action)
        over = terminated or truncated
    return bool(info["success"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a corridor of 20 steps")
    length = 20 if parser.parse_args().quick else 100
    with tempfile.TemporaryDirectory() as folder:
        train(length, Path(folder) / "tmaze.safetensors")
        model = memup.load(Path(folder) / "tmaze.safetensors")
    # Models number actions from 0 and read plain vectors; any environment can be brought to that.
    env = memup.adapt(gymnasium.make("memup/NoisyTMaze-v0", length=length))
    wins = [play(model, env, seed) for seed in range(50)]
    print(f"{model}\nsuccess: {sum(wins) / len(wins):.3f}")


if __name__ == "__main__":
    main()
