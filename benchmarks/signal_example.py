"""Write docs/signal-example.csv, -labels.csv and -ratings.csv: a log that nobody's users made.

Users look at position k with probability 1/k. They do as the grades say but for two clauses: they like the
combined devices that `kind-first` hides, and leave the refurbished ones that `condition` shows. The raters
are made up too: they side with users on the combined devices, and with the labels on the refurbished ones.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

DOCS = Path(__file__).resolve().parent.parent / "docs"
KINDS = ("toaster", "kettle", "blender", "lamp", "heater", "fan", "iron", "scale")
STYLES = ("red", "steel", "small", "quiet", "folding")
BRANDS = ("Velt", "Koslo", "Nordin", "Brenta", "Amari")
RESULTS = (
    ("{brand} {style} {kind}", 4, "unstated-is-free", 0.34),
    ("{brand} {style} {kind}, new model", 4, "unstated-is-free", 0.32),
    ("{brand} {kind}", 3, "silent-on-stated", 0.22),
    ("{brand} {kind}, plain", 3, "silent-on-stated", 0.21),
    ("{brand} {style} {kind}, refurbished", 3, "condition", 0.02),
    ("{brand} {other} {kind}", 2, "stated-preference", 0.11),
    ("{brand} {style} {kind} with clock radio", 1, "kind-first", 0.24),
    ("{brand} cord for a {kind}", 1, "accessory", 0.05),
    ("{brand} {style} {kind} for children", 1, "audience", 0.05),
    ("{brand} bag for a {style} {kind}", 1, "accessory", 0.04),
    ("{kind}s: a history in pictures", 0, "likeness", 0.02),
)
"""Title, grade, the clause that decides, and how attractive it is."""
ORDERS = 3


def main() -> None:
    """Write the files."""
    chance = np.random.default_rng(15)
    labels, log = [], []
    for number, (kind, style) in enumerate((kind, style) for kind in KINDS for style in STYLES):
        query, stratum = f"{style} {kind}", "head" if number % 3 == 0 else "tail"
        views = int(chance.integers(2_500, 4_000) if stratum == "head" else chance.integers(600, 1_200))
        other = STYLES[(STYLES.index(style) + 1) % len(STYLES)]
        for at, (title, grade, clause, _) in enumerate(RESULTS):
            brand = BRANDS[(number + at) % len(BRANDS)]
            shown = title.format(brand=brand, style=style, kind=kind, other=other)
            labels.append((query, f"p{number:02}{at:02}", shown, grade, clause, stratum))
        for _ in range(ORDERS):
            grades = np.array([result[1] for result in RESULTS])
            order = np.argsort(-(grades + chance.normal(0, 1.5, len(RESULTS))))
            for place, at in enumerate(order.tolist(), start=1):
                clicks = chance.binomial(views, RESULTS[at][3] / place)
                log.append(
                    (query, f"p{number:02}{at:02}", place, views, clicks, chance.binomial(clicks, 0.1))
                )
    write("signal-ratings.csv", ("item", "rater", "grade", "query"), list(ratings(labels)))
    write("signal-labels.csv", ("query", "item", "title", "grade", "clauses", "stratum"), labels)
    write("signal-example.csv", ("query", "item", "position", "views", "clicks", "purchases"), log)


def ratings(labels: Sequence[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    """What two raters say of the pairs of both clauses; now and then bob slips."""
    for number, (query, item, _, grade, clause, _) in enumerate(labels):
        if clause in ("kind-first", "condition"):
            said = 2 if clause == "kind-first" else grade
            yield item, "ann", said, query
            yield item, "bob", (1 if number % 7 == 0 else said), query


def write(name: str, header: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    """Write one file."""
    with (DOCS / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
