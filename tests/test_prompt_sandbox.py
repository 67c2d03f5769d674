"""Templates from a stranger: what they can say, what they cannot reach, and what they may take."""

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
from builders import CLAUSE, example, policy
from jinja2 import Template

from harness.errors import BadInput
from harness.nouns.pair import Pair
from harness.prompting import render_budget
from harness.prompting.plain import PlainData, plain
from harness.prompting.prompt import PromptFiles, PromptSpec, PromptWriter
from harness.prompting.sandbox import METHODS, Sandbox
from harness.prompting.template import compile_template, render_template

SPEC = PromptSpec(name="teacher", version="v1", description="")
POLICY = policy(clauses=CLAUSE)
SHOTS = (
    example(
        "a", reasoning="One.", clauses=("plain",), result={"title": "lamp", "attributes": {"items": "3"}}
    ),
    example("b", reasoning="Two.", grade=2, clauses=("accessory", "plain"), context={"who": "a nurse"}),
)


def rendered(system: str, folder: Path = Path("prompts/teacher/v1")) -> str:
    """What the system template makes of the policy and two shots."""
    return PromptWriter(PromptFiles(folder, SPEC, system, "{{ pair | json }}"), POLICY, SHOTS).system


SAME: dict[str, tuple[str, str]] = {
    "derived values": ("{{ policy.label }} {{ policy.scale }}", "small@v1 (0, 1, 2)"),
    "an action": ("{{ policy.action_of[0] }}", POLICY.action_of[0]),
    "clause ids in order": ("{{ policy.clause_ids | join(' ') }}", "accessory plain"),
    "the pair of a shot": ("{{ shots[0].pair | json }}", SHOTS[0].pair.json_text),
    "a shot as JSON": (
        "{{ shots[1] | json }}",
        json.dumps(SHOTS[1].model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, indent=2),
    ),
    "the policy as JSON": (
        "{{ policy | json }}",
        json.dumps(POLICY.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, indent=2),
    ),
    "a tuple as it was written": ("{{ shots[1].clauses }}", "('accessory', 'plain')"),
    "nothing": ("{{ shots[0].context }}", "None"),
    "methods of a text": (
        "{{ policy.clauses[0].id.upper() }} {{ ', '.join(shots[1].clauses) }}",
        "ACCESSORY accessory, plain",
    ),
    "methods of a table": (
        "{% for name, value in shots[1].context.items() %}{{ name }}={{ value }}{% endfor %}",
        "who=a nurse",
    ),
    "an entry before a method": ("{{ shots[0].result.attributes.items }}", "3"),
    "loop": (
        "{% for s in shots %}{{ loop.index }}/{{ loop.length }}{{ loop.cycle('a', 'b') }}"
        "{{ ';' if not loop.last }}{% endfor %}",
        "1/2a;2/2b",
    ),
    "grouped": (
        "{% for g in shots | groupby('grade') %}{{ g.grouper }}:{{ g.list | length }} {% endfor %}",
        "1:1 2:1 ",
    ),
    "filtered loop": ("{% for s in shots if s.grade == 2 %}{{ s.id }}{% endfor %}", "b"),
    "nested loop": (
        "{% for a in shots %}{% for b in shots %}{{ a.id ~ b.id }} {% endfor %}{% endfor %}",
        "aa ab ba bb ",
    ),
    "a tree": (
        "{% for x in [[1, [2]], 3] recursive %}{{ x if x is number else loop(x) }}{% endfor %}",
        "123",
    ),
    "macro and call": (
        "{% macro m(a) %}<{{ a }}{{ caller() }}>{% endmacro %}{% call m('x') %}y{% endcall %}",
        "<xy>",
    ),
    "set, with, filter block": (
        "{% set a = 'x' %}{% set b %}y{% endset %}{% with c = 'z' %}"
        "{% filter upper %}{{ a ~ b ~ c }}{% endfilter %}{% endwith %}",
        "XYZ",
    ),
    "arithmetic": ("{{ 2 * 3 + 7 // 2 - 1 }} {{ 7 % 4 }} {{ 'ab' * 2 }} {{ [1] + [2] }}", "8 3 abab [1, 2]"),
    "formats": ("{{ '%.2f|%03d|%s' | format(1.5, 7, 'x') }} {{ '%s%%' % 5 }}", "1.50|007|x 5%"),
    "indent and replace": (
        "{{ 'a\nb' | indent(2) }} {{ 'aXa' | replace('X', '--') }} {{ 'aa'.replace('a', 'b') }}",
        "a\n  b a--a bb",
    ),
    "range": ("{% for n in range(3) %}{{ n }}{% endfor %}", "012"),
    "Jinja's JSON": ("{{ {'b': ['<'], 'a': 1} | tojson }}", '{"a": 1, "b": ["\\u003c"]}'),
    "slices": ("{{ policy.title[:2] }}{{ shots[:1] | map(attribute='id') | join }}", "Saa"),
    "sum and sort": (
        "{{ shots | sum(attribute='grade') }} "
        "{{ shots | sort(attribute='grade', reverse=true) | map(attribute='id') | join }}",
        "3 ba",
    ),
}


@pytest.mark.parametrize(("template", "text"), SAME.values(), ids=SAME)
def test_plain_data_reads_as_the_nouns_did(template: str, text: str) -> None:
    assert rendered(template) == text


UNREACHABLE = {
    "a pickle": "{{ policy.parse_raw('x', content_type='application/pickle', allow_pickle=True) }}",
    "a file": "{{ policy.clauses[0].parse_file('/etc/passwd') }}",
    "a dump": "{{ policy.model_dump() }}",
    "a copy": "{{ policy.model_copy() }}",
    "a class": "{{ policy.__class__ }}",
    "a class, by item": "{{ policy['__class__'] }}",
    "a class of a text": "{{ ''.__class__.__mro__ }}",
    "the attr filter": "{{ policy | attr('__class__') }}",
    "map over an attribute": "{{ [policy] | map(attribute='__class__') | list }}",
    "sort over an attribute": "{{ [policy, 1] | sort(attribute='__class__') }}",
    "groupby over an attribute": "{{ [policy] | groupby('__class__.__mro__') }}",
    "the table's own slots": "{{ policy.bare }}",
    "a format string": "{{ '{0.__class__}'.format(policy) }}",
    "format_map": "{{ '{a}'.format_map({'a': 1}) }}",
    "printf of a table": "{{ '%s' | format(policy) }}",
    "a table as text": "{{ policy }}",
    "a table in a list as text": "{{ [policy] | string }}",
    "a generator's frame": "{{ (shots | map(attribute='id')).gi_frame }}",
    "a macro's function": "{% macro m() %}{% endmacro %}{{ m._func }}",
    "the loop's environment": "{% for a in [1] %}{{ loop._environment }}{% endfor %}",
    "the loop's iterable": "{% for a in [1] %}{{ loop._iterable }}{% endfor %}",
    "self": "{{ self._TemplateReference__context }}",
    "self's blocks": "{{ self.x() }}",
    "a method's inside": "{{ ''.upper.func }}",
    "encode": "{{ 'a'.encode('utf-16') }}",
    "translate": "{{ 'a'.translate({97: 'b' * 9}) }}",
    "a namespace": "{% set ns = namespace(a=1) %}",
    "a cycler": "{{ cycler(1, 2).next() }}",
    "lipsum": "{{ lipsum(n=100000) }}",
    "lipsum's globals": "{{ lipsum.__globals__ }}",
    "dict": "{{ dict(a=1) }}",
    "include": "{% include '/etc/passwd' %}",
    "include, if it is there": "{% include 'system.j2' ignore missing %}",
    "import": "{% import '/etc/passwd' as p %}",
    "from import": "{% from '/etc/passwd' import p %}",
    "extends": "{% extends '/etc/passwd' %}",
    "block": "{% block a %}{% endblock %}",
    "autoescape": "{% autoescape true %}{{ '<' }}{% endautoescape %}",
    "pprint": "{{ policy | pprint }}",
    "xmlattr": "{{ {'a': 1} | xmlattr }}",
    "random": "{{ [1, 2] | random }}",
    "changing the policy": "{{ policy.update({'title': 'x'}) }}",
    "changing a list": "{% set l = [1] %}{{ l.append(2) }}",
    "changing an item": "{% set policy.title = 'x' %}",
    "calling a text": "{{ 'a'() }}",
    "powers": "{{ 9 ** 9 ** 9 }}",
    "a method passed on": "{{ ['a'] | map('attr', 'upper') | list }}",
    "half a character, which nothing can send": r"{{ '\ud800' }}",
    "half a character as a key": r"{{ {'\udfff': 1} | json }}",
}


@pytest.mark.parametrize("template", UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_template_reaches_nothing_but_its_data(template: str) -> None:
    with pytest.raises(BadInput) as caught:
        rendered("line one\n" + template)
    assert "prompts/teacher/v1/system.j2, line " in str(caught.value)


DOUBLED = "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a ~ a %}" * 40
NESTED = "{% set a = [1] %}" + "{% set a = [a, a] %}" * 40
BOMBS = {
    "a text times a number": "{{ 'a' * 9999999999 }}",
    "a number times a text": "{{ 9999999999 * 'a' }}",
    "a list times a number": "{{ ([0] * 999999999) | length }}",
    "doubled by ~": DOUBLED + "{{ a | length }}",
    "doubled by +": "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a + a %}" * 40,
    "doubled by a block": "{% set a = 'aaaaaaaaaa' %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40,
    "doubled by format": "{% set a = 'aaaaaaaaaa' %}" + "{% set a = '%s%s' | format(a, a) %}" * 40,
    "doubled by replace": "{% set a = 'aaaaaaaaaa' %}" + "{% set a = a | replace('a', 'aa') %}" * 40,
    "squared by replace": "{% set a = 'a' * 9999 %}{{ a | replace('a', a) }}",
    "squared by the method": "{% set a = 'a' * 9999 %}{{ a.replace('a', a) }}",
    "squared by join": "{% set a = 'a' * 9999 %}{{ a | join(a) }}",
    "squared by the join method": "{% set a = 'a' * 9999 %}{{ a.join(a) }}",
    "squared by indent": "{% set a = '\n' * 9999 %}{{ a | indent(a) }}",
    "squared by indent, other lines": "{% set a = '\x0b' * 9999 %}{{ a | indent(a) }}",
    "JSON's indent": "{{ [1] | tojson(17) }}",
    "JSON's indent as a text": "{{ [1] | tojson('xx') }}",
    "a sort that holds a long text for each value": "{{ ([policy] * 9999) | sort(attribute='title') }}",
    "a nest of lists": NESTED + "{{ a }}",
    "a nest of lists as JSON": NESTED + "{{ a | json }}",
    "a nest of lists compared": NESTED + "{{ a == a }}",
    "a nest of tuples": NESTED.replace("[a, a]", "(a, a)") + "{{ a | tojson }}",
    "a nest of tables": NESTED.replace("[a, a]", "{'a': a, 'b': a}") + "{{ a | tojson }}",
    "a nest of batches": "{% set a = [1] %}" + "{% set a = [1] | batch(2, a) | list + [a] %}" * 60,
    "policies as JSON": "{{ ([policy] * 999999) | json }}",
    "policies as Jinja's JSON": "{{ ([policy] * 99999) | tojson }}",
    "policies by join": "{{ ([policy] * 99999) | join }}",
    "policies by map": "{{ ([policy] * 99999) | map('string') | list }}",
    "policies by format": "{{ '%s' | format([policy] * 99999) }}",
    "center": "{{ 'a' | center(10**9) }}",
    "center, written out": "{{ 'a' | center(1000000000) }}",
    "the method": "{{ 'a'.center(1000000000) }}",
    "ljust": "{{ 'a'.ljust(1000000000) }}",
    "zfill": "{{ 'a'.zfill(1000000000) }}",
    "expandtabs": "{{ '\t'.expandtabs(1000000000) }}",
    "indent": "{{ 'a\nb' | indent(1000000000) }}",
    "batch": "{{ [1] | batch(1000000000, 0) | list }}",
    "slice": "{{ [1] | slice(1000000000) | list }}",
    "round": "{{ 1.5 | round(1000000000, 'ceil') }}",
    "printf": "{{ '%1000000000d' | format(1) }}",
    "printf, from the outside": "{{ '%*d' | format(1000000000, 1) }}",
    "printf, precision": "{{ '%.1000000000f' | format(1.0) }}",
    "printf, operator": "{{ '%1000000000d' % 1 }}",
    "printf, two at a time": "{{ '%1%1000000000d' % 1 }}",
    "printf, many": "{{ ('%(a)s' * 99999) % {'a': 'a' * 99999} }}",
    "range": "{{ range(10000000000) | list }}",
    "nested ranges": "{% for a in range(9999) %}" * 3 + "x" + "{% endfor %}" * 3,
    "nested ranges of nothing": "{% for a in range(9999) %}" * 4 + "{% endfor %}" * 4,
    "long text in a loop": "{% for a in range(99999) %}" + "x" * 9999 + "{% endfor %}",
    "comparisons": "{% set a = 'a' * 599999 %}{% set b = a ~ '' %}"
    "{% for x in range(99999) %}{% if a == b %}{% endif %}{% endfor %}",
    "tests": "{% set a = range(99999) %}{{ a | select('in', a) | list | length }}",
    "sorts": "{% for x in range(9999) %}{% set y = range(99999) | sort(reverse=true) %}{% endfor %}",
    "sum of lists": "{{ ([[1]] * 99999) | sum(start=[]) | length }}",
    "squares": "{% set a = 99999 %}" + "{% set a = a * a %}" * 40 + "{{ a > 1 }}",
    "a tree of macros": "{% macro m(n) %}{% if n %}"
    "{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}",
    "macros that pass on": "{% macro m(l, n) %}{% if n %}"
    "{{ m([l, l], n - 1) }}{% endif %}{% endmacro %}{{ m([], 60) }}",
    "an endless macro": "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "an endless loop": "{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}",
    "many copies": "{% set a = 'a' * 999999 %}" + "{% set b = a[1:] %}" * 999,
    "loops too deep": "{% for a in [1] %}" * 60 + "{% endfor %}" * 60,
    "brackets too deep": "{{ " + "(" * 9999 + "1" + ")" * 9999 + " }}",
    "lists too deep": "{{ " + "[" * 999 + "]" * 999 + " }}",
    "a sum too long": "{{ 1" + " + 1" * 9999 + " }}",
    "a number too long": "{{ " + "9" * 9999 + " }}",
    "too many words": "{{ a }}" * 99999,
    "too long": "x" * 999999,
    "a number beyond all numbers": "{{ 1e999 }}",
    "truncate below its sign": "{{ 'aaaaaaaa' | truncate(2) }}",
    "urlize": "{{ ('http://' * 999999) | urlize }}",
    "wordwrap": "{{ ('a' * 999999) | wordwrap(1, wrapstring='b' * 9999) }}",
}


@pytest.mark.parametrize("template", BOMBS.values(), ids=BOMBS)
def test_a_template_takes_neither_all_the_memory_nor_all_the_time(
    template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_budget, "SECONDS", 1.0)
    monkeypatch.setattr(render_budget, "LETTERS", 2_000_000)
    began = time.thread_time()
    with pytest.raises(BadInput) as caught:
        rendered(template)
    assert "prompts/teacher/v1/system.j2" in str(caught.value)
    assert len(str(caught.value)) < 2_000
    assert time.thread_time() - began < 5


LENGTH = 200_000
LARGE: dict[str, Any] = {
    "a": "a" * LENGTH,
    "z": "Z" * LENGTH,
    "words": "\u0101b-\n" * (LENGTH // 4),
    "lines": "\x0b" * LENGTH,
    "listed": [str(number) for number in range(10_000)],
    "policies": [plain(POLICY)] * 10_000,
    "table": {str(number): "x" * 99 for number in range(9_999)},
    "start": "ab" + "a" * (LENGTH // 2),
    "end": "a" * (LENGTH // 2) + "Z",
    "hex": "f" * LENGTH * 10,
    "path": "0." * LENGTH + "0",
}
"""Values as large as a hostile policy or golden set can hold."""
ARGUMENTS = (
    "", "start", "end", "100000", "100000, end", "0, 16", "attribute=path", "'attribute', end", "chars=end",
    "sep=start", "indent=99999", "'string'", "'in', a", "listed",
)  # fmt: skip
ALLOWED = {
    **{f"{kind.__name__}.{name}": f"v.{name}(%s)" for kind, names in METHODS.items() for name in names},
    "str.replace": "v.replace('a', end)",
    "str.join": "v.join(listed)",
    **{f"filter {name}": f"v | {name}(%s)" for name in Sandbox().filters if name.isalpha()},
    **{f"test {name}": f"v is {name}(%s)" for name in Sandbox().tests if name.isalpha()},
    **{
        f"operator {sign}": f"v {sign} (%s)" for sign in ("==", "<", "in", "+", "-", "*", "/", "//", "%", "~")
    },
    "division of long numbers": "(hex | int(0, 16)) // ((hex | int(0, 16)) - 1)",
    "range of long numbers": "range(0, " + "9" * 4_200 + ", " + "9" * 4_196 + ") | length",
    "sort by a path": "listed | sort(attribute=path)",
    "slice": "v[::-1]",
}


@pytest.mark.parametrize("allowed", ALLOWED.values(), ids=ALLOWED)
def test_nothing_that_a_template_may_use_outlasts_its_budget(
    allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render_budget, "SECONDS", 0.005)
    monkeypatch.setattr(render_budget, "LETTERS", 2_000_000)
    for given in ARGUMENTS if "%s" in allowed else ("",):
        source = "{% set n = " + allowed.replace("%s", given) + " %}"
        began = time.thread_time()
        template = compiled(source)
        if template is None:
            continue
        for name, value in list(LARGE.items())[:6]:
            with contextlib.suppress(BadInput):
                render_template(template, {**LARGE, "v": value})
            assert time.thread_time() - began < 1, f"{name}: {source[:200]}"
            began = time.thread_time()


def compiled(source: str) -> Template | None:
    """A template; None of one that is refused before it is rendered."""
    with contextlib.suppress(BadInput):
        return compile_template(Path("x.j2"), source)
    return None


def test_every_rendering_has_the_whole_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render_budget, "LETTERS", 200_000)
    files = PromptFiles(Path("p"), SPEC, "s", "{% for x in range(1000) %}{% endfor %}{{ pair | json }}")
    writer = PromptWriter(files, POLICY, SHOTS)
    pair = Pair.model_validate({"query": "q", "result": {"title": "t"}})
    assert len({writer.prompt(str(number), pair).messages for number in range(20)}) == 1


def test_what_a_template_sees_holds_no_object() -> None:
    def walk(value: Any) -> None:
        assert type(value) in (PlainData, dict, tuple, str, int, float, bool, type(None))
        for one in (
            [*value, *value.values()]
            if isinstance(value, dict)
            else value
            if isinstance(value, tuple)
            else ()
        ):
            walk(one)

    walk(plain(POLICY))
    walk(plain(SHOTS))
    walk(plain(SHOTS[0].pair))
