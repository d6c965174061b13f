"""The pages of Read: what they state is confirmed by the library, and what they point to is there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeAlias
from xml.etree import ElementTree

import msgspec
import pytest

import chainrule as cr
from chainrule import lab
from chainrule.derivation.steps import ETA, LOSS
from chainrule.formula import Derivative, Expression, Symbol, compare, parse, substituted, text
from chainrule.formula.mathml import symbol_name
from chainrule.lab.answers import encode
from chainrule.lab.endpoints import Lab
from chainrule.lab.scene import Scene
from chainrule.lab.timeline import Asked, timeline
from chainrule.lessons import FAMILIES

Element: TypeAlias = "ElementTree.Element[str]"
STATIC = Path(lab.__file__).with_name("static")
FOLDER = STATIC / "read" / "en"
PAGES = sorted(path.stem for path in FOLDER.glob("*.html") if path.stem != "index")
MATHML_CORE = {"math", "mrow", "mi", "mn", "mo", "msub", "msup", "msubsup", "mfrac"}
HAS = {"msub": 2, "msup": 2, "msubsup": 3, "mfrac": 2}  # with other numbers of children, they are shown in a row
TIMES, APPLIED = "\u2062", "\u2061"
MOST_BYTES = 60_000


def page(name: str) -> Element:
    """Return a page, which is the <main> of a document: HTML that can be read as XML as well."""
    main = ElementTree.fromstring((FOLDER / f"{name}.html").read_text(encoding="utf-8"))
    assert main.tag == "main"
    return main


def inside(part: Element, scene: str = "{}") -> Iterator[tuple[Element, str]]:
    """Return an element and all in it, each with the scene that holds there: its own, or the nearest around it."""
    own = part.get("data-scene", scene)
    yield part, own
    for child in part:
        yield from inside(child, own)


def found(name: str, tag: str) -> list[tuple[Element, str]]:
    """Return all elements of a page that have a tag, with their scenes."""
    return [(part, scene) for part, scene in inside(page(name)) if part.tag == tag]


def words(part: Element) -> str:
    """Return the text of an element; a formula counts as a word."""
    inner = "" if part.tag == "math" else (part.text or "") + "".join(map(words, part))
    return (" formula " if part.tag == "math" else inner) + (part.tail or "")


@cache
def decoded(scene: str) -> Scene:
    """Return a scene as the lab reads it."""
    return msgspec.json.decode(scene, type=Scene)


@cache
def told(scene: str) -> Any:
    """Return what the page is told of a scene."""
    return json.loads(encode(timeline(Lab(progress=lambda: None), Asked(decoded(scene)))))  # type: ignore[arg-type,return-value]


def typed(part: Element, i: int = 0) -> str:
    """Return a formula as it may be typed, with a number for the index i; ∂a/∂b as [a|b], f′ as f′."""
    children = list(part)
    match part.tag:
        case "mi" | "mn" | "mo":
            return {TIMES: "*", APPLIED: "", "−": "-"}.get(part.text or "", part.text or "")
        case "msub":
            return f"{typed(children[0])}_{{{index(children[1], i)}}}"
        case "msup":
            above = typed(children[1], i)
            return typed(children[0], i) + (above if above == "′" else f"^{above}")
        case "msubsup":
            return f"{typed(children[0])}_{{{index(children[1], i)}}}^{typed(children[2], i)}"
        case "mfrac":
            above, below = (typed(child, i) for child in children)
            assert above[0] == below[0] == "∂"
            return f"[{above[1:]}|{below[1:]}]"
    assert part.tag in ("math", "mrow"), part.tag
    return "".join(typed(child, i) for child in children)


def index(part: Element, i: int) -> str:
    """Return an index, such as i + 1, as a number, or several with commas."""
    written = typed(part).replace("i", str(i))
    return re.sub(r"(\d+)([+-]\d+)", lambda sum_of: str(int(sum_of[1]) + int(sum_of[2])), written)


@dataclass(frozen=True)
class Book:
    """The library's formulae for a network, by which those of a page are understood and compared.

    Attributes
    ----------
    net : Network
    given : str
        What holds besides: "y_1 = 1 - y_2 - y_3" and the like, separated by semicolons.
    """

    net: cr.Network
    given: str = ""

    @cached_property
    def derivation(self) -> cr.Derivation:
        return cr.derive(self.net)

    @cached_property
    def definitions(self) -> Mapping[Symbol, Expression]:
        known = {}
        for one in filter(None, self.given.split(";")):
            read = parse(one, self.derivation.symbols)
            assert isinstance(read.left, Symbol)
            known[read.left] = read.expression
        derived = self.derivation.definitions
        if known:  # where a page says how targets depend on one another, in its own words
            derived = {symbol: formula for symbol, formula in derived.items() if symbol.name != "y"}
        return {**known, **derived, LOSS: self.derivation.step("loss").right}

    def slope(self, unit: str) -> str:
        """Return f′(z) of a layer or unit."""
        indices = tuple(map(int, unit.split(",")))
        z, f = Symbol("z", indices), Symbol("f", indices)
        return f"({text(self.net.layers[indices[0] - 1].activation.slope(z, f))})"

    def derivative(self, quantity: str, by: str) -> str:
        """Return ∂ of the loss by something, or of one thing in a chain by what it is computed from."""
        letter, layer = re.fullmatch(r"(\w)_\{(\d)\}", by).groups()  # type: ignore[union-attr]
        if quantity == "ℒ":
            if letter in "wb":
                return f"({text(self.derivation.gradient(f'{letter}_{layer}'))})"
            return f"δ_{layer}" if letter == "z" else f"(δ_{layer}/{self.slope(layer)})"
        if quantity[0] == "f":
            assert (letter, layer) == ("z", quantity[3])
            return self.slope(layer)
        after = quantity[3]
        before = str(int(after) - 1)
        return {f"w{after}": f"f_{{{before}}}", f"b{after}": "1", f"f{before}": f"w_{after}"}[letter + layer]

    def side(self, written: str) -> Expression:
        """Return one side of an equation."""
        written = re.sub(r"\[(.+?)\|(.+?)\]", lambda both: self.derivative(both[1], both[2]), written)
        written = re.sub(r"f′\(z_\{(.+?)\}\)", lambda unit: self.slope(unit[1]), written).replace("f_{0}", "x")
        return LOSS if written == "ℒ" else parse(written, [*self.derivation.symbols, ETA]).expression

    def confirms(self, formula: str) -> bool:
        """Tell whether all sides of an equation are the same, or whether an update is the one that is derived."""
        if "←" in formula:
            updated, right = map(self.side, formula.split("←"))
            assert isinstance(updated, Symbol)
            name = symbol_name(updated)
            step, gradient = self.derivation.step(f"update {name}"), self.derivation.gradient(name)
            expected = substituted(step.right, {Derivative(LOSS, updated): gradient})
            return bool(compare(right, expected, self.definitions))
        first, *others = map(self.side, formula.split("="))
        return all(compare(first, other, self.definitions) for other in others)


def equations(name: str) -> Iterator[tuple[str, Book]]:
    """Return every equation of a page, typed, with the book that has to confirm it; one with i for each layer i."""
    for math, scene in found(name, "math"):
        if not any(mo.text in ("=", "←") for mo in math.iter("mo")):
            continue
        book = Book(decoded(scene).network(), math.get("data-given", ""))
        layers = len(book.net.layers)
        is_general = any(mi.text == "i" for mi in math.iter("mi"))
        fitting = [i for i in range(1, layers + 1) if f"{{{layers + 1}}}" not in typed(math, i)] if is_general else [0]
        assert fitting
        for i in fitting:
            yield typed(math, i), book


@pytest.mark.parametrize("name", PAGES)
def test_every_equation_is_confirmed(name: str) -> None:
    for formula, book in equations(name):
        assert book.confirms(formula), formula


def test_a_wrong_equation_would_be_noticed() -> None:
    chain = Book(cr.chain(3, activation="tanh"))
    for formula, is_right in [
        ("δ_{2}=δ_{3}*w_{3}*f′(z_{2})", True),
        ("δ_{2}=δ_{3}*w_{2}*f′(z_{2})", False),
        ("[ℒ|f_{3}]=-2*(y-f_{3})=2*(f_{3}-y)", True),
        ("[ℒ|f_{3}]=2*(y-f_{3})", False),
        ("w_{1}←w_{1}-η·[ℒ|w_{1}]", True),
        ("w_{1}←w_{1}+η·[ℒ|w_{1}]", False),
    ]:
        assert chain.confirms(formula) is is_right, formula


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_short_has_one_heading_and_an_example(name: str) -> None:
    main = page(name)
    (heading,) = main.iter("h1")
    assert main[0] is heading
    assert 200 <= len(words(main).split()) <= 450
    assert main.findall("figure[@data-step]")
    assert {part.tag for math in main.iter("math") for part in math.iter()} <= MATHML_CORE
    for part in main.iter():
        assert len(part) == HAS.get(part.tag, len(part)), ElementTree.tostring(part, "unicode")
    # The Content-Security-Policy would refuse them.
    assert not [part for part in main.iter() if part.tag == "script" or "style" in part.attrib]


@pytest.mark.parametrize("name", PAGES)
def test_numbers_come_from_the_timeline(name: str) -> None:
    assert not re.search(r"\d[.,]\d", words(page(name)))
    for output, scene in found(name, "output"):
        assert not output.text
        value = told(scene)
        for member in output.attrib["data-value"].split("."):
            value = value[int(member) if isinstance(value, list) else member]
        assert isinstance(value, (int, float)), output.attrib["data-value"]


@pytest.mark.parametrize("name", PAGES)
def test_examples_show_steps_and_move_parameters_that_are_there(name: str) -> None:
    for figure, scene in found(name, "figure"):
        assert figure.attrib["data-step"] in {step["name"] for step in told(scene)["steps"]}
        read = decoded(scene)
        given = {symbol_name(symbol) for symbol in cr.derive(read.network()).symbols}
        for slider in figure.get("data-slide", "").split():
            assert slider == "w" or slider in given
            # A slider starts at what the scene says, so nothing may be left to the seed.
            assert read.weights is not None
            assert slider[0] != "b" or read.biases is not None


def test_there_is_something_to_practise_after_every_page() -> None:
    families = set(FAMILIES)
    for name in PAGES:
        named = [figure.get("data-practise") for figure, _ in found(name, "figure")]
        assert families.issuperset(filter(None, named)), name
        assert any(named), name


def test_the_contents_list_every_page_by_its_heading() -> None:
    listed = {link.attrib["href"]: "".join(link.itertext()) for link in page("index").iter("a")}
    assert listed == {f"{name}.html": "".join(page(name)[0].itertext()) for name in PAGES}


def test_it_is_small() -> None:
    own = [*FOLDER.iterdir(), STATIC / "read.js", STATIC / "read.css", STATIC / "words" / "read.js"]
    assert sum(path.stat().st_size for path in own) <= MOST_BYTES
