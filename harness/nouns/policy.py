"""The policy's nouns: rubric, clauses, actions, boundaries, and the gates for runs."""

from functools import cached_property
from typing import Any, Literal

from pydantic import Field

from harness.nouns.base import Level, Noun, Weighting
from harness.storage.digest import digest


class WorkedExample(Noun):
    """A query and a result in a few words, to show what a grade means."""

    query: str
    result: str


class GradeLevel(Noun):
    """One level of the rubric."""

    value: Level
    name: str
    definition: str
    examples: tuple[WorkedExample, ...] = ()


class Clause(Noun):
    """A rule that settles a gray area. It may cap the grade (`max_grade`) or set a floor (`min_grade`)."""

    id: str = Field(min_length=1)
    text: str
    why: str
    max_grade: Level | None = None
    min_grade: Level | None = None


class Action(Noun):
    """What the surface does with a result of these grades."""

    name: str = Field(min_length=1)
    grades: tuple[Level, ...]
    shown: str


class Boundary(Noun):
    """A worked gray area between two neighbouring grades, argued both ways and decided."""

    query: str
    result: str
    between: tuple[Level, Level]
    grade: Level
    higher: str
    lower: str
    decision: str
    clauses: tuple[str, ...] = ()


UNDECIDED = "does not say what its actions show (`shown`), so that nothing is counted by action"
"""Said of a policy: why there are no figures of actions, such as under an import's skeleton."""


class Policy(Noun):
    """A product team's judgement in writing: the rubric and the rules that settle gray areas."""

    name: str = Field(min_length=1)
    version: str = Field(pattern=r"^v[0-9]+$")
    released: bool = False
    title: str
    author: str
    contributors: tuple[str, ...] = ()
    surface: str
    goal: str
    grades: tuple[GradeLevel, ...]
    clauses: tuple[Clause, ...] = ()
    actions: tuple[Action, ...]
    boundaries: tuple[Boundary, ...] = ()

    @property
    def label(self) -> str:
        """`name@version`, as commands take it."""
        return f"{self.name}@{self.version}"

    @cached_property
    def scale(self) -> tuple[int, ...]:
        """Every grade of the rubric, lowest first, used or not."""
        return tuple(sorted(level.value for level in self.grades))

    @cached_property
    def clause_ids(self) -> frozenset[str]:
        """The ids that a chain of thought may cite."""
        return frozenset(clause.id for clause in self.clauses)

    @cached_property
    def action_of(self) -> dict[int, str]:
        """The action's name for each grade."""
        return {grade: action.name for action in self.actions for grade in action.grades}

    @cached_property
    def decided_actions(self) -> dict[int, str] | None:
        """`action_of`; None where an action does not say what it shows: a skeleton's are a guess."""
        return self.action_of if all(one.shown.strip() for one in self.actions) else None

    @cached_property
    def rules(self) -> str:
        """A short digest of what decides which grade is right: no titles, people, reasons or white space."""
        decides: Any = {
            "clauses": {"__all__": {"id", "text", "max_grade", "min_grade"}},
            "boundaries": {"__all__": {"query", "result", "between", "grade"}},
        }
        whole = dict.fromkeys(("surface", "goal", "grades", "actions"), True)
        return digest(_in_one_line(self.model_dump(mode="json", include=decides | whole)))[:19]


def _in_one_line(value: Any) -> Any:
    """JSON with the white space of every text made one space."""
    if isinstance(value, dict):
        return {key: _in_one_line(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_in_one_line(one) for one in value]
    return " ".join(value.split()) if isinstance(value, str) else value


class GateBar(Noun):
    """The kappa that a gate requires."""

    bar: float = Field(default=0.8, ge=-1, le=1)


class Gate1Bar(GateBar):
    """Gate 1's bars. `pair_floor`: a pair of raters with a lower kappa gets a warning."""

    pair_floor: float = Field(default=0.4, ge=-1, le=1)


class Gate2Bar(GateBar):
    """Gate 2's bars. `actions`: the kappa required of the actions; None requires none."""

    actions: float | None = Field(default=None, ge=-1, le=1)


class Cell(Noun):
    """A cell of the golden grade by action table.

    `limit`: the largest share of that grade's items in it. `growth`: how many more items than the baseline
    a candidate may have in it.
    """

    golden: Level
    action: str
    limit: float | None = Field(default=None, ge=0, lt=1)
    growth: int = Field(default=0, ge=0)


class CeilingTerms(Noun):
    """Settings of the human ceiling, declared beforehand.

    `epsilon`: the model's allowance in the alternative annotator test, since a rater costs more: 0.2 for
    experts, 0.15 for skilled raters, 0.1 for a crowd. `scoring`: how to measure closeness to other raters.
    """

    epsilon: float | None = Field(default=None, ge=0, le=1)
    scoring: Literal["accuracy", "neg_rmse"] = "accuracy"


class Gates(Noun):
    """The gates for runs under a policy.

    `margin`: how much kappa a candidate may lose to the baseline, and a grader to the raters.
    `target_error`: the error that grading alone may have. `canaries_moved`: how many grades steering text
    may move. `impact`: the largest share of what people see that a policy change may alter; None: any.
    """

    weighting: Weighting = "none"
    coverage_floor: float = Field(default=0.99, ge=0, le=1)
    margin: float = Field(default=0.05, ge=0)
    target_error: float = Field(default=0.05, gt=0, lt=1)
    canaries_moved: int = Field(default=0, ge=0)
    impact: float | None = Field(default=None, ge=0, le=1)
    gate1: Gate1Bar = Gate1Bar()
    gate2: Gate2Bar = Gate2Bar()
    human_ceiling: CeilingTerms = CeilingTerms()
    never_grow: tuple[Cell, ...] = ()
