"""The axes and the records that pass between floors.

Axes, named once: B rows, T steps of an episode, R steps of a window, Q query steps, K targets a
query, I input, D memory output. Below the method one sequence is seen, time first, without B.

Time: `obs[t]` and `reward[t]` arrive together; `action[t]` answers them and leads to
`obs[t+1]`, `reward[t+1]`. An episode of n actions is stored as n+1 steps: the last observation
is kept, and the action stored beside it is meaningless.
"""

from typing import Any, NamedTuple

from jaxtyping import Array, Bool, Float, Int, PRNGKeyArray, PyTree

Key = PRNGKeyArray
Observation = PyTree[Any, "..."]
Action = PyTree[Any, "..."]
State = PyTree[Any, "..."]
Metrics = dict[str, Any]


class TimeStep(NamedTuple):
    """What an environment gives at one step.

    Attributes:
        obs: the observation, a tree of arrays as the observation space says.
        reward: the reward that arrived with `obs`, float32; 0 at the first step.
        terminated: True if the episode ended here for good (its value is 0).
        truncated: True if the episode was cut here (its value is bootstrapped).
        first: True if `obs` begins an episode.
        success: 1.0 if the episode succeeded (a share where it has several parts), meaningful
            at its last step; NaN where the environment does not define success.
    """

    obs: Observation
    reward: Array
    terminated: Array
    truncated: Array
    first: Array
    success: Array


class StepInput(NamedTuple):
    """What a memory reads at one step: leaves are [...], or [T, ...] for a sequence.

    Attributes:
        obs: the observation.
        action: the previous action, a tree as the action space says; () where there are none.
        reward: the reward that arrived with `obs`.
        first: True if `obs` begins an episode; then `action` is ignored.
    """

    obs: Observation
    action: Action
    reward: Array
    first: Array


class Query(NamedTuple):
    """The local question about a target step k: what is seen and done there, no history.

    Attributes:
        obs: the observation at k.
        action: the action taken at k, a tree; () where there are none.
        distance: k - t, steps from the query to k; None: 0, what is asked about is now.
    """

    obs: Observation
    action: Action
    distance: Any = None


class Targets(NamedTuple):
    """Steps chosen for queries.

    Attributes:
        index: step of each target, [Q, K], not before its query.
        weight: 1.0 where the target counts, 0.0 where there was none to choose, [Q, K].
    """

    index: Any
    weight: Any


class BurnIn(NamedTuple):
    """What lies before a window and is read without a gradient, so that a state is truly old.

    Attributes:
        x: inputs, leaves [long rows, G, ...]; the long rows are the last ones of a batch.
        count: how many of the G steps, the last ones, a row reads, [long rows, 1].
    """

    x: StepInput
    count: Int[Array, "*n O 1"]


class Window(NamedTuple):
    """All that one update may see: R + Q*K elements, whatever the distance between them.

    Attributes:
        x: inputs, leaves [B, R, ...].
        query: position in the window of each query step, [Q] (the same for every row).
        context: the questions, leaves [B, Q, K, ...].
        target: the outcomes, [B, Q, K, ...].
        weight: [B, Q, K].
        burn_in: what is read before `x`; None: nothing.
    """

    x: StepInput
    query: Int[Array, "*n Q"]
    context: Query
    target: Array
    weight: Float[Array, "*n B Q K"]
    burn_in: BurnIn | None = None


class Trajectory(NamedTuple):
    """A rollout, leaves [T, B, ...]; `last` is the step that follows it, leaves [B, ...].

    Attributes:
        step: what the environment gave before each action.
        action: the action taken, leaves [T, B, ...].
        extras: what the agent wants to keep beside each step.
        last: the step after the final action, for bootstrapping.
        before: what the actors carried before the first step.
        after: what they carry into `last`.
    """

    step: TimeStep
    action: Action
    extras: Any
    last: TimeStep
    before: Any
    after: Any


Flags = Bool[Array, " T"]
