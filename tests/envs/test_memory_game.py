"""The memory game: its rules by hand, and players that remember everything or nothing."""

import jax
import numpy as np
import pytest

from memup.envs.memory_game import MemoryGame


def games(cards, seeds):
    env = MemoryGame(cards)
    reset = jax.jit(lambda key: env.reset(key=key))
    step = jax.jit(lambda state, action: env.step(state, action, key=jax.random.key(0)))
    return step, (reset(jax.random.key(seed)) for seed in seeds)


def laid(symbols):
    """A game whose cards lie in this order, and how to play on."""
    env = MemoryGame(len(symbols))
    state, first = env.reset(key=jax.random.key(0))
    symbols = np.array(symbols, np.int8)
    step = jax.jit(lambda state, action: env.step(state, action, key=jax.random.key(0)))
    return step, state._replace(symbols=symbols), first


def results(step, state, actions):
    seen = []
    for action in actions:
        state, now = step(state, action)
        seen.append((int(now.obs["card"]), int(now.obs["symbol"]), float(now.reward)))
    return seen, now


def test_a_game_by_hand():
    step, state, first = laid([0, 1, 1, 0])
    assert int(first.obs["card"]) == 0 and bool(first.first)
    # Two unseen ones are the pair 1 and 2; flipping 1 again costs; 0 and the unseen 3 end the game.
    seen, end = results(step, state, [4, 4, 1, 0, 4])
    assert seen == [(1, 1, -1), (2, 1, 2), (1, 1, -1), (0, 0, -1), (3, 0, 2)]
    assert end.terminated and not end.truncated and end.success == 1  # 5 flips of at most 6


def test_the_same_card_twice_is_no_pair():
    step, state, _ = laid([0, 0])
    seen, now = results(step, state, [0, 1])
    assert seen == [(0, 0, -1), (1, 0, 2)]
    assert now.terminated


def test_where_nothing_is_unseen_the_last_card_is_flipped():
    step, state, _ = laid([0, 1, 0, 1])
    seen, _ = results(step, state, [4, 4, 4, 4])
    assert [card for card, _, _ in seen] == [1, 2, 3, 3]


def test_a_game_ends_after_two_flips_a_card():
    step, state, _ = laid([0, 1, 0, 1])
    for _ in range(8):
        state, now = step(state, 0)
        assert bool(now.terminated) == (state.time == 8) and now.success == 0
    assert not now.truncated and not state.removed.any()


def test_a_slow_player_ends_the_game_without_success():
    step, state, _ = laid([0, 0, 1, 1])
    _, now = results(step, state, [0, 0, 0, 0, 1, 2, 3])
    assert now.terminated and now.success == 0  # 7 flips, 6 are allowed


def expert(step, state, now):
    """Remember every card: flip the partner where it is known, else an unseen card."""
    known, total, unseen = {}, 0.0, state.symbols.shape[0]
    while not now.terminated:
        card, symbol = int(now.obs["card"]), int(now.obs["symbol"])
        partner = unseen if now.reward > 0 else known.get(symbol, unseen)
        known[symbol] = card
        state, now = step(state, partner)
        total += float(now.reward)
    return total, now


@pytest.mark.parametrize("cards", [4, 8])
def test_who_remembers_all_returns_at_least_zero(cards):
    step, dealt = games(cards, range(30))
    totals, ends = zip(*(expert(step, *game) for game in dealt), strict=True)
    assert min(totals) >= 0 and all(end.success == 1 for end in ends)


def test_cards_are_shuffled_pairs():
    _, dealt = games(6, range(300))
    symbols = np.stack([state.symbols for state, _ in dealt])
    assert (np.sort(symbols, axis=1) == [0, 0, 1, 1, 2, 2]).all()
    # Every card shows every symbol equally often: 100 of 300, within 5 deviations.
    counts = np.stack([(symbols == s).sum(axis=0) for s in range(3)])
    assert np.abs(counts - 100).max() < 5 * np.sqrt(300 * 2 / 9)
    # The partner of card 0 is any of the five others: 60 each.
    partner = (symbols[:, 1:] == symbols[:, :1]).argmax(axis=1)
    assert np.abs(np.bincount(partner, minlength=5) - 60).max() < 5 * np.sqrt(300 * 4 / 25)
