"""`harness gate1`: agreement among raters."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli.options import (
    DEFAULT_POLICY,
    BarValue,
    Bootstrap,
    Columns,
    Encoding,
    Format,
    Json,
    Labels,
    Root,
    Scale,
    Weighting,
    Wide,
    bar_of,
    end_by,
    layout,
    print_json,
    project_at,
    show,
)
from harness.cli.rated import PolicyOption, bar_origin, levels_of, refuse


def gate1_command(
    ratings: Annotated[
        Path | None,
        typer.Argument(help="A file of ratings. Default: the policy's own golden/.../ratings.jsonl."),
    ] = None,
    policy: PolicyOption = None,
    scale: Scale = None,
    columns: Columns = None,
    wide: Wide = None,
    format: Format = None,
    labels: Labels = None,
    encoding: Encoding = None,
    weighting: Weighting = None,
    bar: BarValue = None,
    bootstrap: Bootstrap = False,
    root: Root = None,
    disputes: Annotated[
        int,
        typer.Option(min=0, help="How many disputed pairs to show with the raters' reasons, widest first."),
    ] = 1,
    every: Annotated[
        bool, typer.Option("--all", help="Every rater and pair of raters, not the ten lowest.")
    ] = False,
    json: Json = False,
) -> None:
    """Gate 1: do the raters agree?

    If they do, the policy can be called clear.
    """
    from dataclasses import replace

    from harness.golden.graded_files import examples_of
    from harness.golden.rating.files import own_ratings, rated_in
    from harness.report.gate1 import gate1_view
    from harness.score.settings import gate1_bar, grade_names
    from harness.verdicts.assessment import judge_raters

    if ratings is None:
        for_a_file = {"scale": scale, "columns": columns, "wide": wide, "format": format}
        for_a_file |= {"labels": labels, "encoding": encoding}
        refuse(for_a_file, "the policy's own ratings need none")
    scale_, known, gates = levels_of(policy or (None if ratings else DEFAULT_POLICY), scale, root)
    about = examples_of(project_at(root), known) if known else {}
    if ratings is None:
        assert known is not None, "without a file there is a default policy"
        rated = own_ratings(project_at(root), known, about)
    else:
        how = layout(columns, wide, format, labels, encoding)
        rated = replace(rated_in(ratings, how, scale_, about), about=about)
    chosen = bar_of(weighting, bar, gate1_bar(gates), bar_origin(known))
    score = judge_raters(rated, scale_, gates, chosen, names=grade_names(known), bootstrap=bootstrap)
    print_json(score) if json else show(gate1_view(score, disputes, every=every))
    end_by(score)
