"""Every row order shows whole episodes, in order, packed, and the same again for the same rng."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from memup.core.errors import MemupError
from memup.method.orders.auto import suitable
from memup.method.orders.base import OrderParts
from memup.method.orders.jump import Jump
from memup.method.orders.sequential import Sequential
from memup.method.orders.staggered import Staggered
from memup.method.orders.table import ORDERS

IDS, LENGTHS = np.array([3, 4, 7, 9]), np.array([1, 5, 12, 3])
LENGTH_OF = dict(zip(IDS.tolist(), LENGTHS.tolist(), strict=True))


WALKING = {"sequential": Sequential, "staggered": Staggered}


@pytest.fixture(params=sorted(WALKING))
def order(request):
    return WALKING[request.param]()


OPTIONS = {n: o.default for entry in ORDERS.values() for n, o in entry.options.items()}


def made(name, lengths=(40, 50, 60), growing=False, **options):
    """Make an order of the table, of windows of 4, as a run does."""

    def rarity(kept):
        return lambda episode: (np.array([0, 38])[:kept], np.full(2, 0.5)[:kept])

    parts = OrderParts(4, 100, 10, rarity, lambda: np.array(lengths), growing, {})
    return ORDERS[name].make(parts, {**OPTIONS, **options})


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_contract(name):
    """Rows are filled without a gap, from stored episodes, and again the same by the same rng."""
    order, ids, lengths = made(name), np.array([2, 5, 6]), np.array([40, 50, 60])
    assert 0 <= order.long_rows <= 1 and order.burn_in <= 10, "no more than there is room for"
    _, visits = walk(order, [8, 12], ids=ids, lengths=lengths)
    for row in range(3):
        filled = 0
        for v in of_row(visits, row):
            assert v.offset == filled and 0 <= v.start < v.stop <= lengths[ids == v.episode]
            assert not v.gap or v.gap <= min(order.burn_in, v.start)
            filled += v.stop - v.start
        assert filled == 20
    assert walk(order, [8, 12], ids=ids, lengths=lengths)[1] == visits


@pytest.mark.parametrize("name", sorted(ORDERS))
@pytest.mark.parametrize("length", [40, 200_000])
def test_held_out_visits_fit_their_rows(name, length):
    order, ids = made(name, [length] * 20), np.arange(20)
    lengths, rng = np.full(20, length), np.random.default_rng(0)
    held = order.held_out(ids, lengths, window=4, rng=rng)
    assert held.window % 4 == 0 and max(v.row for v in held.visits) == held.rows - 1
    assert all(v.offset + v.stop - v.start <= held.count * held.window for v in held.visits)
    jumps = length > 50_000 and made(name, [length]).long_rows > 0
    assert (held.count * held.window < length) == jumps, "what is very long is not passed over"
    assert held.stride == (1 if jumps else length // 2000)


@pytest.mark.parametrize("name", sorted(ORDERS))
def test_a_model_is_judged_once_rows_are_what_they_will_be(name):
    order = made(name, long_after=0.5)
    begin = order.init(3)
    later, _ = order.advance(
        begin, 200, np.array([2]), np.array([60]), rng=np.random.default_rng(0)
    )
    assert not order.warming_up(later)
    assert order.warming_up(begin) == (order.long_rows > 0)


def test_auto_jumps_where_something_can_be_skipped():
    assert suitable(np.array([100, 90]), 20, 80, growing=False, rarity=True) == "jump"
    assert suitable(np.array([100, 90]), 20, 80, growing=True, rarity=True) == "staggered"
    assert suitable(np.array([100, 60]), 20, 80, growing=False, rarity=True) == "staggered"
    assert suitable(np.array([1000, 19]), 20, 80, growing=False, rarity=True) == "staggered"
    assert suitable(np.array([100, 90]), 20, 80, growing=False, rarity=False) == "staggered"


def test_auto_keeps_what_it_chose():
    parts = OrderParts(
        4, 9, 0, lambda _: lambda _: None, lambda: np.array([9]), False, {"order": "jump"}
    )
    assert isinstance(ORDERS["auto"].make(parts, OPTIONS), Jump)


def walk(order, steps=(5, 1, 9, 7), rows=3, seed=0, ids=IDS, lengths=LENGTHS):
    """Advance several times; return the visits of all calls, with offsets of one long stream."""
    rng, cursor, visits, before = np.random.default_rng(seed), order.init(rows), [], 0
    for n in steps:
        cursor, new = order.advance(cursor, n, ids, lengths, rng=rng)
        visits += [v._replace(offset=v.offset + before) for v in new]
        before += n
    return cursor, visits


def of_row(visits, row):
    return [v for v in visits if v.row == row]


def ages(order, windows, rows=8, length=40):
    """Return first steps [windows, rows] of an order of windows of 4, and where lives begin."""
    cursor, starts, done = order.init(rows), [], []
    rng = np.random.default_rng(0)
    for _ in range(windows):
        cursor, new = order.advance(cursor, 4, np.array([5]), np.array([length]), rng=rng)
        starts.append([v.start for v in new])
        done.append(cursor.done)
    return np.array(starts), [np.flatnonzero(row == 1) for row in np.array(done).T]


@pytest.mark.parametrize("name", sorted(WALKING))
@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.integers(1, 15), min_size=1, max_size=5), seed=st.integers(0, 99))
def test_rows_are_packed_and_every_step_is_visited_once_and_in_order(name, steps, seed):
    cursor, visits = walk(WALKING[name](), steps, seed=seed)
    for row in range(3):
        mine, filled = of_row(visits, row), 0
        assert mine[0].fresh
        for before, v in zip([None, *mine], mine, strict=False):
            assert v.offset == filled and v.start < v.stop <= LENGTH_OF[v.episode]
            filled += v.stop - v.start
            if before is None:
                continue
            ended = before.stop == LENGTH_OF[before.episode]
            assert v.fresh == ended, "a fresh start after an end, and only there"
            if ended:
                assert v.start == 0
            else:
                assert (v.episode, v.start) == (before.episode, before.stop)
        assert filled == sum(steps)
        assert (cursor.episode[row], cursor.step[row]) == (mine[-1].episode, mine[-1].stop)


def test_the_same_rng_gives_the_same_visits(order):
    assert walk(order, seed=5)[1] == walk(order, seed=5)[1] != walk(order, seed=6)[1]


def test_how_the_stream_is_cut_does_not_change_a_row(order):
    whole, cut = walk(order, [22], rows=1)[1], walk(order, [5, 1, 9, 7], rows=1)[1]
    seen = [[(v.episode, s) for v in part for s in range(v.start, v.stop)] for part in (whole, cut)]
    assert seen[0] == seen[1]


def test_an_evicted_episode_leads_to_a_fresh_one(order):
    ids, lengths = np.array([0, 1]), np.array([50, 50])
    rng = np.random.default_rng(0)
    cursor, _ = order.advance(order.init(4), 7, ids, lengths, rng=rng)
    _, visits = order.advance(cursor, 7, np.array([2]), np.array([50]), rng=rng)
    for row in range(4):
        [visit] = of_row(visits, row)
        assert visit.episode == 2 and visit.fresh and visit.start == 0


def test_only_staggered_rows_begin_in_the_middle():
    ids, lengths = np.arange(4), np.full(4, 1000)
    starts = {}
    for kind in (Sequential, Staggered):
        _, visits = walk(kind(), [10], rows=8, ids=ids, lengths=lengths)
        starts[kind] = [v.start for v in visits]
        assert all(v.fresh for v in visits)
    assert starts[Sequential] == [0] * 8
    assert len(set(starts[Staggered])) == 8


def test_all_episodes_get_their_turn(order):
    _, visits = walk(order, [400])
    assert {v.episode for v in visits} == set(IDS.tolist())


JUMPS = (np.array([2, 5, 6]), np.array([4, 40, 17]))


def rare(episode):
    """The last step but one of each episode is rare, and its first a little."""
    length = dict(zip(*JUMPS, strict=True)).get(episode, 30)
    return np.array([0, length - 2]), np.array([0.1, 0.9])


@settings(max_examples=30, deadline=None)
@given(visits=st.integers(2, 5), calls=st.integers(1, 4), seed=st.integers(0, 99))
def test_jump_sees_the_first_window_and_later_ones_in_order(visits, calls, seed):
    order, ids, lengths = Jump(4, visits, rare), *JUMPS
    _, seen = walk(order, [8] * calls, seed=seed, ids=ids, lengths=lengths)
    length = dict(zip(*JUMPS, strict=True))
    for row in range(3):
        mine = of_row(seen, row)
        assert [v.offset for v in mine] == list(range(0, 8 * calls, 4))
        begins = [i for i, v in enumerate(mine) if v.fresh]
        assert begins[0] == 0 and max(np.diff([*begins, len(mine)])) <= visits
        for i, v in enumerate(mine):
            assert v.stop - v.start == 4 and v.stop <= length[v.episode]
            assert v.fresh == (v.start == 0), "whoever reads step 0 has read nothing before"
            if v.fresh:
                continue
            before = mine[i - 1]
            assert v.episode == before.episode and v.start >= before.start
            assert v.start >= before.stop or length[v.episode] < 4 * visits, "no step twice"


def test_a_window_that_would_overlap_the_first_one_is_the_first_one_anew():
    order = Jump(4, 4, lambda _: (np.array([2, 30]), np.full(2, 0.5)))
    starts, begins = ages(order, 400)
    for row in range(8):
        whole = [life for life in np.split(starts[:, row], begins[row]) if len(life) == 4][1:]
        assert all(life[0] == life[1] == 0 and 26 < life[3] <= 36 for life in whole)
        assert {0} < {int(life[2]) for life in whole}, "it also sees what is not rare"


def test_jump_visits_what_is_rare():
    _, seen = walk(Jump(4, 3, rare), [4 * 300], ids=np.array([5]), lengths=np.array([40]))
    held = [v.start <= 38 < v.stop for v in of_row(seen, 0)]
    assert 0.8 < 3 * np.mean(held) < 1.4, "one window in three, and by chance a little more"


def test_a_short_life_visits_all_rare_steps_that_it_has_room_for():
    four = np.array([7, 17, 27, 36]), np.full(4, 0.25)
    order, alone = Jump(4, 6, lambda _: four), (np.array([5]), np.array([40]))
    _, seen = walk(order, [4 * 6 * 20], rows=1, ids=alone[0], lengths=alone[1])
    second = next(i for i, v in enumerate(seen) if i and v.fresh)  # the first life is cut
    assert len(seen) - second > 6 * 18
    for begin in range(second, len(seen) - 5, 6):
        life = seen[begin : begin + 6]
        assert all(any(v.start <= step < v.stop for v in life) for step in four[0])


def test_a_window_of_pieces_holds_every_rare_step_once():
    six = np.array([3, 4, 17, 28, 30, 39])
    order = Jump(
        16, 8, lambda _: (six, np.full(6, 1 / 6)), long_rows=0.5, long_segments=3, segment_length=2
    )
    _, seen = walk(order, [16 * 40, 16 * 40], rows=2, ids=np.array([5]), lengths=np.array([40]))
    young, old = (lives(of_row(seen, row)) for row in range(2))
    for life in young:
        read = [step for v in life for step in range(v.start, v.stop)]
        assert len(life) == 8 and read == sorted(set(read)), "in order, and nothing twice"
        assert read[0] == 0 and set(six) <= set(read)
        assert life[0].offset % 16 == 0, "a life fills whole windows"
    for life in old:
        assert len(life) == 3 * 8
        assert {step for v in life for step in range(v.start, v.stop)} == set(range(40))


def lives(visits):
    """Split the visits of a row by lives, without the first, which is cut, and the last."""
    begins = [i for i, v in enumerate(visits) if v.fresh]
    return [visits[a:b] for a, b in pairwise(begins[1:])]


def test_pieces_of_an_episode_that_is_too_short_for_all_still_ascend():
    order, rare_ones = (
        Jump(8, 8, lambda _: (np.array([1, 5]), np.full(2, 0.5)), segment_length=2),
        {1, 5},
    )
    _, seen = walk(order, [16 * 20], rows=1, ids=np.array([5]), lengths=np.array([9]))
    ends = next(i for i, v in enumerate(seen) if v.stop == 9)  # the first life may be cut
    for begin in range(ends - 7, len(seen) - 7, 8):
        life = seen[begin : begin + 8]
        starts = [v.start for v in life]
        assert starts == sorted(starts) and starts[0] == 0 and life[-1].stop <= 9
        assert rare_ones <= {step for v in life for step in range(v.start, v.stop)}


def test_young_rows_of_jump_are_not_in_step():
    _, begins = ages(Jump(4, 5, rare), 20, rows=16)
    assert len({mine[1] for mine in begins}) > 2, "lives end at different times"
    assert len({mine[-1] for mine in begins}) > 2, "and still do later"


def test_some_rows_of_jump_live_long():
    starts, begins = ages(Jump(4, 3, rare, long_rows=0.25, long_segments=50), 400, length=120)
    lives = [set(np.diff(mine)[1:].tolist()) for mine in begins]
    for row in range(8):
        later = np.delete(np.diff(starts[:, row]), begins[row][1:] - 1)
        assert min(later) >= 0 and not starts[begins[row], row].any()
    assert lives[:6] == [{3}] * 6
    for old in lives[6:]:
        assert max(old) == 30, "as many windows as the episode has"


def test_rows_of_jump_grow_long_late_and_not_in_step():
    order = Jump(4, 3, rare, long_rows=0.5, long_segments=20, long_after=4 * 60)
    _, begins = ages(order, 200, length=120)
    first = []
    for mine in begins[4:]:
        lives = np.diff(mine)
        assert max(lives[mine[:-1] < 60]) == 3 and max(lives) == 20
        first.append(int(mine[:-1][lives > 3][0] + lives[lives > 3][0]))
    assert len(set(first)) > 2, "their first long lives end at different times"
    assert max(np.diff(begins[0])) == 3


def test_a_long_life_holds_what_is_rare_and_nothing_twice():
    order = Jump(4, 3, rare, long_rows=1.0, long_segments=6)
    _, seen = walk(order, [4 * 300], rows=2, ids=np.array([5]), lengths=np.array([38]))
    for row in range(2):
        lives = [[]]
        for v in of_row(seen, row):
            lives = [*lives, [v.start]] if v.fresh else [*lives[:-1], [*lives[-1], v.start]]
        # The first life is cut to a random length, so that rows differ in age; the last is open.
        for life in lives[2:-1]:
            # Ten windows, the last of which begins at 34 instead of 36; steps 0 and 36 are rare.
            assert len(life) == 6
            assert life[0] == 0
            assert life[-1] == 34
            assert life == sorted(set(life))


def test_jump_leaves_an_evicted_episode_and_refuses_a_short_one():
    order, rng = Jump(4, 3, rare), np.random.default_rng(0)
    cursor, _ = order.advance(order.init(2), 4, np.array([0]), np.array([30]), rng=rng)
    _, visits = order.advance(cursor, 4, np.array([1]), np.array([30]), rng=rng)
    assert [(v.episode, v.start, v.fresh) for v in visits] == [(1, 0, True)] * 2
    with pytest.raises(MemupError, match=r"3 steps, expected at least method\.window=4"):
        order.advance(order.init(2), 4, np.array([0]), np.array([3]), rng=rng)


def test_jump_repeats_itself_for_the_same_rng():
    ids, lengths = JUMPS
    runs = [walk(Jump(4, 3, rare), [8, 8], seed=s, ids=ids, lengths=lengths)[1] for s in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
