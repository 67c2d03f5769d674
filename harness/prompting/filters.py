"""The filters of a template: Jinja's with small results, and bounded versions of the others."""

import json
import re
from typing import Any, Final

from jinja2 import Undefined, pass_environment
from jinja2.exceptions import TemplateRuntimeError
from jinja2.filters import FILTERS, do_sum, make_attrgetter
from jinja2.utils import htmlsafe_json_dumps

from harness.prompting.plain import json_parts
from harness.prompting.render_budget import ENTRY, TooMuch, sizes_of

KNOWN: Final = (
    "abs", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape", "first",
    "float", "groupby", "int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject",
    "rejectattr", "reverse", "round", "safe", "select", "selectattr", "slice", "sort", "string", "title",
    "trim", "truncate", "unique", "upper", "wordcount",
)  # fmt: skip
"""Jinja's filters whose result is about as large as their input."""
OF_TEXT: Final = (
    "capitalize", "center", "e", "escape", "indent", "lower", "replace", "safe", "string", "title", "trim",
    "truncate", "upper", "wordcount",
)  # fmt: skip
"""Filters of texts, which would write out a whole table."""
LISTING: Final = ("batch", "groupby", "list", "reverse", "slice", "sort", "unique")
"""Filters that list all of their input before their result can be counted."""
_FROM_THE_RIGHT: Final = ("rfind", "rpartition", "rsplit")
_STRIPPING: Final = ("lstrip", "rstrip", "strip", "trim")
_DIVIDING: Final = ("indent", "rsplit", "split", "splitlines", "title", "wordcount")
DEEPEST: Final = 16
"""The most spaces of JSON's indent."""
_BREAKS: Final = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_MARKS: Final = "-({[<"
"""Characters that divide words beside white space, for the filter title."""


def cost_of(name: str, text: str, what: Any) -> int:
    """The cost in characters of a method or filter of a text beyond its result, before it is run.

    Python searches from the right, and strips letters, in a time that grows with the product of both texts.
    """
    cost = len(text)
    if name in (*_FROM_THE_RIGHT, *_STRIPPING) and isinstance(what, str):
        cost *= max(1, len(what))
    if name in _DIVIDING:
        by = (what,) if name in ("split", "rsplit") and isinstance(what, str) else (*_BREAKS, *_MARKS)
        cost += ENTRY * sum(map(text.count, by))
    return cost


@pass_environment
def as_json(environment: Any, value: Any) -> str:
    """JSON, counted while it is made: a list can hold one table many times.

    A shot without a reasoning is shown without the key: an empty text would teach to give none. So are empty
    clauses where no shot of the set cites one: they were not recorded.
    """
    if isinstance(value, Undefined):
        str(value)
    if isinstance(value, dict) and "reasoning" in value:
        unsaid = [
            key for key in ("reasoning", "clauses")[: 1 if environment.cites else 2] if not value.get(key)
        ]
        value = {key: part for key, part in value.items() if key not in unsaid} if unsaid else value
    return str(environment.budget.joined(json_parts(value)))


@pass_environment
def plain_json(environment: Any, value: Any, indent: int | None = None) -> str:
    """Jinja's own JSON, escaped for HTML. For our tables use the filter json."""
    environment.budget.spend_all(sizes_of(value, texts=True))
    if indent is not None and not (isinstance(indent, int) and 0 <= indent <= DEEPEST):
        raise TooMuch(f"tojson is given the indent {str(indent)[:40]!r}: at most {DEEPEST} spaces")
    encoder = json.JSONEncoder(sort_keys=True, indent=indent)
    return str(htmlsafe_json_dumps(value, lambda one: environment.budget.joined(encoder.iterencode(one))))


@pass_environment
def bounded_sum(environment: Any, values: Any, attribute: Any = None, start: Any = 0) -> Any:
    """The sum of numbers only: concatenating lists takes quadratic time."""
    if not isinstance(start, int | float):
        raise TemplateRuntimeError("sum adds numbers")
    return do_sum(environment, values, attribute, start)


@pass_environment
def bounded_join(environment: Any, values: Any, d: Any = "", attribute: Any = None) -> str:
    """The values as texts, with `d` between them."""
    if attribute is not None:
        values = map(make_attrgetter(environment, attribute), values)
    between = environment.budget.text(d)
    parts = [environment.budget.text(value) for value in values]
    environment.budget.spend(len(between) * len(parts))
    return str(between.join(parts))


@pass_environment
def bounded_replace(environment: Any, text: Any, old: Any, new: Any, count: Any = None) -> str:
    """Replace a text everywhere or `count` times."""
    text, old, new = str(text), str(old), str(new)
    environment.budget.spend(text.count(old) * len(new))
    return str(text.replace(old, new, -1 if count is None else count))


@pass_environment
def bounded_indent(
    environment: Any, text: Any, width: Any = 4, first: bool = False, blank: bool = False
) -> str:
    """Indent the lines; by default not the first and not the empty ones."""
    before = width if isinstance(width, str) else " " * width
    environment.budget.spend((sum(map(str(text).count, _BREAKS)) + 1) * len(before))
    return str(FILTERS["indent"](text, before, first, blank))


_DIRECTIVE = re.compile(r"%(?:\((\w+)\))?[-+ #0]*([0-9]{0,3})(?:\.[0-9]{0,3})?[sdifgGeExX%]")


@pass_environment
def printf(environment: Any, text: Any, *args: Any, **named: Any) -> str:
    """printf's format, without `*` and with widths of at most three digits."""
    pattern = str(text)
    if "%" in _DIRECTIVE.sub("", pattern):
        raise TemplateRuntimeError("format: an unsupported directive, or wider than 999")
    values = (*args, *named.values())
    environment.budget.spend(
        pattern.count("%") * max((len(environment.budget.text(one)) + 999 for one in values), default=0)
    )
    return pattern % (named or args)


OWN: Final = {
    "json": as_json, "tojson": plain_json, "sum": bounded_sum, "join": bounded_join,
    "replace": bounded_replace,
    "indent": bounded_indent, "format": printf,
}  # fmt: skip
"""Our filters by name."""
