"""The policy's nouns: the rubric, the clauses, the actions, and the bars that runs are held to."""

from functools import cached_property
from typing import Literal

from pydantic import Field

from harness.nouns.base import Level, Noun, Weighting


class WorkedExample(Noun):
    """A query and a result, in a few words, that show what a grade means."""

    query: str
    result: str


class GradeLevel(Noun):
    """One level of the rubric."""

    value: Level
    name: str
    definition: str
    examples: tuple[WorkedExample, ...] = ()


class Clause(Noun):
    """A rule that settles a gray area; a cap (`max_grade`) or a floor (`min_grade`) where it is one."""

    id: str = Field(min_length=1)
    text: str
    why: str
    max_grade: Level | None = None
    min_grade: Level | None = None


class Action(Noun):
    """What a surface does with some grades."""

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


class Policy(Noun):
    """A product team's judgement, written down: the rubric and the rules that settle gray areas."""

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
        """Every grade of the rubric, lowest first, whether or not anybody ever gave it."""
        return tuple(sorted(level.value for level in self.grades))

    @cached_property
    def clause_ids(self) -> frozenset[str]:
        """The ids that a chain of thought may cite."""
        return frozenset(clause.id for clause in self.clauses)

    @cached_property
    def action_of(self) -> dict[int, str]:
        """The action's name for each grade."""
        return {grade: action.name for action in self.actions for grade in action.grades}


class GateBar(Noun):
    """The kappa that one gate asks for."""

    bar: float = Field(default=0.8, ge=-1, le=1)


class Gate1Bar(GateBar):
    """Gate 1's bars. `pair_floor`: the kappa that every pair of raters should reach; below it a warning."""

    pair_floor: float = Field(default=0.4, ge=-1, le=1)


class Gate2Bar(GateBar):
    """Gate 2's bars. `actions`: the kappa asked of what the user would see, where one is asked."""

    actions: float | None = Field(default=None, ge=-1, le=1)


class Cell(Noun):
    """A cell of the golden grade by action table.

    `limit`: the share of that grade's items it may hold. `growth`: how many items more than the baseline
    a candidate may have in it.
    """

    golden: Level
    action: str
    limit: float | None = Field(default=None, ge=0, lt=1)
    growth: int = Field(default=0, ge=0)


class CeilingTerms(Noun):
    """The human ceiling's terms, declared beforehand.

    `epsilon`: what a rater costs more than a model in the alternative annotator test, as an advantage
    that the model is granted: 0.2 for experts, 0.15 for skilled raters, 0.1 for a crowd. `scoring`: how
    close a grade is to the others'.
    """

    epsilon: float | None = Field(default=None, ge=0, le=1)
    scoring: Literal["accuracy", "neg_rmse"] = "accuracy"


class Gates(Noun):
    """The bars that runs under a policy are held to.

    `margin`: how much kappa a candidate may lose against the baseline, and a grader against the raters.
    `target_error`: what grading alone may get wrong. `canaries_moved`: how many grades steering text may
    move. `impact`: the largest share of what people see that a policy change may alter, where declared.
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
