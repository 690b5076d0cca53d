"""The spaces that a store says its episodes have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memup.core.errors import require
from memup.core.spaces import Space, flatten, from_json, to_json
from memup.data.store_fields import Schema


@dataclass(frozen=True)
class StoredSpaces:
    """What is seen and done in episodes; None: they do not say.

    Attributes:
        observation: of the fields "obs" or "obs.x".
        action: of the fields "action" or "action.x".
    """

    observation: Space | None = None
    action: Space | None = None

    def describe(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {"observation": to_json(self.observation), "action": to_json(self.action)}

    @classmethod
    def of_json(cls, about: Mapping[str, Any]) -> "StoredSpaces":
        """Undo `describe`.

        Raises:
            MemupError: a space is not one.
        """
        return cls(from_json(about.get("observation")), from_json(about.get("action")))

    def check(self, schema: Schema) -> None:
        """Raise MemupError if fields are missing or have another shape than the spaces say."""
        for prefix, space in (("obs", self.observation), ("action", self.action)):
            leaves = {} if space is None else flatten(space, prefix)
            for name, leaf in leaves.items():
                require(
                    name in schema, f"the space has {name!r}; the store has {', '.join(schema)}"
                )
                shape = schema[name][1]
                require(
                    shape == tuple(leaf.shape),
                    f"field {name!r} is {list(shape)} a step; its space says {list(leaf.shape)}",
                )
