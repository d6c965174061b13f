"""Sentences with formulae: the same one for the terminal, a page and course platforms."""

import xml.etree.ElementTree as ET

import pytest

from chainrule.formula import Derivative, Symbol
from chainrule.lessons import Equation, prose
from chainrule.lessons.prose import listing

W, ETA, LOSS = Symbol("w", (1,)), Symbol("η"), Symbol("ℒ")
SENTENCE = prose("For η < 1 & small: {}, with {}.", Equation(W, W - ETA * Derivative(LOSS, W), update=True), W)


def test_plain_text() -> None:
    assert SENTENCE.to_text() == str(SENTENCE) == "For η < 1 & small: w₁ ← w₁−η·∂ℒ/∂w₁, with w₁."


def test_a_page_has_mathml_with_ids_of_its_own_and_escapes_words() -> None:
    page = ET.fromstring(f"<p>{SENTENCE.to_html('p3-')}</p>")
    assert page.text == "For η < 1 & small: "
    ids = [one.get("id") for one in page.iter() if one.get("id")]
    assert len(ids) == len(set(ids)) > 4
    assert all(str(one).startswith("p3-") for one in ids)


def test_course_platforms_have_latex_between_brackets() -> None:
    written = SENTENCE.to_mathjax()
    assert written.startswith("For η &lt; 1 &amp; small: \\(w_{1} \\leftarrow w_{1}")
    assert ET.fromstring(f"<p>{written}</p>").text is not None


def test_sentences_are_joined() -> None:
    assert str(prose("So ") + prose(W)) == "So w₁"


def test_values_take_the_place_of_placeholders() -> None:
    assert str(prose("Write {} by {}.", W, ETA)) == "Write w₁ by η."
    assert prose("{w} has {}, and {w} alone.", prose("{} of {}", 1, LOSS), w=W).pieces == (
        *(W, " has ", "1", " of ", LOSS, ", and ", W, " alone."),
    )  # fmt: skip
    assert str(prose("A set {1, 2}")) == "A set {1, 2}"


@pytest.mark.parametrize(("template", "values"), [("{} and {}", [W]), ("{}", [W, ETA]), ("{w}", [W]), ("none", [W])])
def test_placeholders_without_values_and_values_without_placeholders_are_refused(
    template: str, values: list[Symbol]
) -> None:
    with pytest.raises(ValueError, match="there is no"):
        prose(template, *values)


def test_a_list_in_a_sentence() -> None:
    assert [str(listing(values)) for values in ([W], [W, ETA], [W, ETA, LOSS])] == ["w₁", "w₁ and η", "w₁, η and ℒ"]
    assert str(listing([W, ETA], ", ")) == "w₁, η"
