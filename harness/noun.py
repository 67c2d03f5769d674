"""What every noun is made of."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Strict

Level = Annotated[int, Strict()]
"""A value of the grade scale. Strict: neither "3" nor true is a grade."""

Split = Literal["shots", "dev", "test"]
Weighting = Literal["none", "linear", "quadratic"]
Band = Literal["strong", "moderate", "weak"]


class Noun(BaseModel):
    """A value: frozen, without unknown keys, without NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
