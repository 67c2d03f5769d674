"""What every noun is made of."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Strict

Level = Annotated[int, Strict()]
"""A value of the grade scale. Strict: neither "3" nor true is a grade."""

Split = Literal["shots", "dev", "test"]
Weighting = Literal["none", "linear", "quadratic"]
Band = Literal["strong", "moderate", "weak"]


class Noun(BaseModel):
    """A value: frozen, without unknown keys, without NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def model_post_init(self, context: Any, /) -> None:
        """Nobody asks which fields were given, and the set of their names is a third of a long golden set."""
        object.__setattr__(self, "__pydantic_fields_set__", _NOT_KEPT)

    def data(self) -> dict[str, Any]:
        """The noun as plain JSON data, without what is at its default: what its digest is made of.

        So a new optional field leaves the digests of everything before it alone. A default stays what it is
        for ever, since a file that leaves the field out means it: to change it, add another field.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


_NOT_KEPT: set[str] = set()
