"""What a search for a better prompt found: the object that `improve --json` prints."""

from harness.nouns.base import Amount, Count, Noun, Weighting
from harness.scorecards.comparison import Change


class Part(Noun):
    """One part of dev: `propose`, which edits are made from, or `select`, which they are accepted on."""

    n: Count
    queries: Count


class Edit(Noun):
    """One step from a version to the next. `items`: the disagreements that it was proposed from."""

    note: str
    items: tuple[str, ...] = ()


class Candidate(Noun):
    """A proposed version that was graded on both parts, against the prompt that the search began with.

    `shots`: the ids of the shots that it shows; None for those of the prompt. `edits`: the steps to it from
    that prompt. `propose` and `select`: the gated kappa on each part. `p_holm`: of the change on `select`,
    corrected over all candidates. `inflation`: the change on `propose` minus that on `select`: by how much
    the pairs that an edit was made from promise too much. `unread`, `unread_base`: pairs of
    `select` without a readable answer. `why`: why it is not accepted.
    """

    number: Count
    template: str
    shots: tuple[str, ...] | None = None
    edits: tuple[Edit, ...]
    propose: Change
    select: Change
    p_holm: Amount | None = None
    inflation: float | None = None
    unread: Count = 0
    unread_base: Count = 0
    accepted: bool = False
    why: str = ""


class PolicyFault(Noun):
    """Disagreements on which the raters disagree too: the policy's author has to settle them, not a prompt.

    `clause`: the clause that the golden answers name; None where they name none. `ratings`: what the raters
    gave, by item.
    """

    clause: str | None
    items: dict[str, tuple[int, ...]]


class Improvement(Noun):
    """A search. `chosen`: the number of the accepted candidate with the highest lower limit; None for none.

    `draft`: the label of the prompt version that it was written as. `proposed_by`: None where shots were
    searched for. `proposals`: replies of the model that proposes, or sets of shots; `refused`: how many could
    not be used, by reason. `answers`: answers of the teacher that this command asked for. `unread`: the
    disagreements without a readable grade; `unrated`: those with fewer than two ratings, of which it is
    unknown whether the policy is at fault. `test`: pairs of test, which are not graded: they are only used to
    refuse a proposal that repeats them.
    """

    prompt: str
    policy: str
    model: str
    proposed_by: str | None
    seed: int
    weighting: Weighting
    propose: Part
    select: Part
    disagreements: Count
    unread: Count = 0
    unrated: Count = 0
    proposals: Count
    refused: dict[str, Count]
    candidates: tuple[Candidate, ...]
    chosen: Count | None = None
    draft: str | None = None
    policy_faults: tuple[PolicyFault, ...] = ()
    answers: Count
    test: Count


class SearchForecast(Noun):
    """The most that a search would ask for; nothing was sent.

    `answers`: of the teacher, `proposals`: of the model that proposes. `cost`: USD for all answers, at most;
    None with a `reason` where the price is unknown. The cost of proposals is not in it.
    """

    prompt: str
    model: str
    proposed_by: str | None
    propose: Part
    select: Part
    proposals: Count
    answers: Count
    cost: Amount | None = None
    reason: str | None = None
    warnings: tuple[str, ...] = ()
