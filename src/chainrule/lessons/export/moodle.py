"""Problems as the XML that Moodle imports into its question bank.

Formulae become questions of the type STACK, a plugin in which Maxima compares what is typed with the key and with each
known mistake. See https://docs.moodle.org/en/Moodle_XML_format and STACK's documentation, https://docs.stack-assessment.org.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ...errors import InputError
from ...files import write_atomically
from ...formula import Expression, Symbol
from ..problems import ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Option, Problem
from ..prose import Prose, listing, prose
from .sampling import in_order, typed, typed_name

SHARES = {
    1: "100", 2: "50", 3: "33.33333", 4: "25", 5: "20", 6: "16.66667", 7: "14.28571", 8: "12.5", 9: "11.11111",
    10: "10",
}  # fmt: skip
"""Of how many right options each has which part of the points, in per cent: Moodle takes no other decimals."""
PENALTIES = {1: "1", 2: "0.5", 3: "0.3333333", 4: "0.25"}
"""What a failed try costs, by the number of tries; more of them cost less."""

MAXIMA = {
    "abs": "abs({})", "cos": "cos({})", "erf": "erf({})", "exp": "exp({})", "log": "log({})", "max": "max({},{})",
    "min": "min({},{})", "sign": "signum({})", "sin": "sin({})", "sqrt": "sqrt({})", "step": "((1+signum({}))/2)",
    "tanh": "tanh({})",
}  # fmt: skip
"""How Maxima writes each function."""
STACK_VERSION = "2023010400"  # the oldest of STACK that has all that is written here
_STACK_SETTINGS = {
    "questionsimplify": "1", "assumepositive": "0", "assumereal": "1", "decimals": ".", "scientificnotation": "*10",
    "multiplicationsign": "dot", "sqrtsign": "1", "complexno": "i", "inversetrig": "cos-1", "logicsymbol": "lang",
    "matrixparens": "[", "variantsselectionseed": "",
}  # fmt: skip


def write_moodle(title: str, problems: Sequence[tuple[str, Problem]], path: Path) -> None:
    """Write problems as one file of Moodle XML, in a category of the title.

    Parameters
    ----------
    title : str
    problems : sequence of (str, Problem)
        With the name of each.
    path : Path
        Of the file, which is written at once or not at all.

    Raises
    ------
    InputError
        When a problem cannot be asked there, or the file cannot be written.
    """
    for name, _ in problems:
        if [other for other, _ in problems].count(name) > 1:
            raise InputError(f"two problems are called {name!r:.80}: Moodle knows them by their names")
    quiz = Element("quiz")
    category = SubElement(quiz, "question", type="category")
    # Moodle takes a / as the beginning of a category within, and // as a / of the name.
    _text(SubElement(category, "category"), f"$course$/top/{title.replace('/', '//')}")
    for name, problem in problems:
        match problem.answer:
            case OneChoice() | ChooseAll() as choice:
                _choices(quiz, name, problem, choice)
            case NumberAnswer() as number:
                _number(quiz, name, problem, number)
            case FormulaAnswer() as formula:
                _formula(quiz, name, problem, formula)
    indent(quiz)
    content = f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(quiz, encoding="unicode")}\n'
    write_atomically(path, content.encode())


def _question(quiz: Element, kind: str, name: str, problem: Problem, prompt: Iterable[str]) -> Element:
    """Write what all questions begin with."""
    question = SubElement(quiz, "question", type=kind)
    _text(SubElement(question, "name"), f"{problem.title} ({name})")
    _html(question, "questiontext", prompt)
    _html(question, "generalfeedback", _solution(problem))
    SubElement(question, "defaultgrade").text = str(problem.points)
    SubElement(question, "penalty").text = _penalty(problem)
    SubElement(question, "hidden").text = "0"
    SubElement(question, "idnumber").text = name
    return question


def _penalty(problem: Problem) -> str:
    return "0.1" if problem.attempts is None else PENALTIES.get(problem.attempts, "0.2")


def _choices(quiz: Element, name: str, problem: Problem, answer: OneChoice | ChooseAll) -> None:
    question = _question(quiz, "multichoice", name, problem, _paragraphs(problem.prompt))
    single = isinstance(answer, OneChoice)
    SubElement(question, "single").text = str(single).lower()
    SubElement(question, "shuffleanswers").text = "true"
    SubElement(question, "answernumbering").text = "none"
    right = sum(option.right for option in answer.options)
    if right not in SHARES:
        raise InputError(f"{name}: Moodle has no {right} right options, but 1 to {max(SHARES)}")
    for option in answer.options:
        # A wrong box takes all points away, so that it does not pay to tick every box.
        wrong = "0" if single else "-100"
        _answer(question, SHARES[right] if option.right else wrong, option)
    _hints(question, problem)


def _answer(question: Element, fraction: str, option: Option) -> None:
    answer = SubElement(question, "answer", fraction=fraction, format="html")
    _text(answer, "".join(_paragraphs([option.text])))
    _html(answer, "feedback", _paragraphs([option.feedback]))


def _number(quiz: Element, name: str, problem: Problem, answer: NumberAnswer) -> None:
    question = _question(quiz, "numerical", name, problem, _paragraphs(problem.prompt))
    right = prose("Right.")
    # The first that fits counts, so the key comes first.
    wrong = [("0", float(mistake.answer), mistake.feedback) for mistake in answer.mistakes]
    for fraction, value, feedback in [("100", float(answer.key), right), *wrong]:
        element = SubElement(question, "answer", fraction=fraction, format="plain_text")
        _text(element, repr(value))
        SubElement(element, "tolerance").text = f"{answer.tolerance * abs(value):.6g}"
        _html(element, "feedback", _paragraphs([feedback]))
    SubElement(question, "unitgradingtype").text = "0"
    SubElement(question, "unitpenalty").text = "0.1"
    SubElement(question, "showunits").text = "3"  # no field for a unit
    SubElement(question, "unitsleft").text = "0"
    _hints(question, problem)


def _formula(quiz: Element, name: str, problem: Problem, answer: FormulaAnswer) -> None:
    allowed = in_order(answer.names if answer.allowed is None else answer.allowed)
    known = [typed_name(symbol) for symbol in in_order(answer.names)]
    prompt = [*_paragraphs([*problem.prompt, _instructions(allowed)]), "<p>[[input:ans1]]</p>[[validation:ans1]]"]
    question = _question(quiz, "stack", name, problem, prompt)
    _text(SubElement(question, "stackversion"), STACK_VERSION)
    key = typed(answer.key, MAXIMA)
    _text(SubElement(question, "questionvariables"), f"ta: {key};")
    _html(question, "specificfeedback", ["[[feedback:prt1]]"])
    _html(question, "questionnote", [name])
    for setting, value in _STACK_SETTINGS.items():
        SubElement(question, setting).text = value
    _html(question, "prtcorrect", ["<p>Right.</p>"])
    _html(question, "prtpartiallycorrect", ["<p>Partly right.</p>"])
    _html(question, "prtincorrect", ["<p>Not right.</p>"])
    _input(question, known)
    wrong = [(typed(mistake.answer, MAXIMA), mistake.feedback) for mistake in answer.mistakes]
    _tree(question, wrong, allowed, _values(allowed, answer.definitions))
    _hints(question, problem, choices=False)
    _test(question, 1, key, "1", "0")
    for place, (formula, _) in enumerate(wrong, start=2):
        _test(question, place, formula, "0", _penalty(problem))


def _values(allowed: Iterable[Symbol], definitions: Mapping[Symbol, Expression]) -> list[str]:
    """Return what allowed symbols follow from, as Maxima writes it, the last first: f₂ = tanh(z₂), z₂ = f₁w₂."""
    names = set(allowed)
    inside = {
        symbol: formula
        for symbol, formula in definitions.items()
        if symbol in names and formula.symbols() <= names - {symbol}
    }
    return [f"{typed_name(symbol)}={typed(formula, MAXIMA)}" for symbol, formula in reversed(inside.items())]


def _input(question: Element, known: Sequence[str]) -> None:
    """Write the field, in which every name of the problem is taken, so that a mistake can be told."""
    field = SubElement(question, "input")
    settings = {
        "name": "ans1", "type": "algebraic", "tans": "ta", "boxsize": "50", "strictsyntax": "1", "insertstars": "1",
        "syntaxhint": "", "syntaxattribute": "0", "forbidwords": "", "allowwords": ",".join(known), "forbidfloat": "0",
        "requirelowestterms": "0", "checkanswertype": "0", "mustverify": "1", "showvalidation": "1", "options": "",
    }  # fmt: skip
    for setting, value in settings.items():
        SubElement(field, setting).text = value


def _tree(question: Element, wrong: Sequence[tuple[str, Prose]], allowed: Iterable[Symbol], values: list[str]) -> None:
    """Write how an answer is judged: is it the key, else which mistake, else is it made of what was asked for."""
    tree = SubElement(question, "prt")
    SubElement(tree, "name").text = "prt1"
    SubElement(tree, "value").text = "1"
    SubElement(tree, "autosimplify").text = "1"
    SubElement(tree, "feedbackstyle").text = "1"
    names = ",".join(map(typed_name, in_order(allowed)))

    def substituted(formula: str) -> str:
        # In the place of each symbol what it follows from, so that every right substitution is equal to the key.
        return f"subst([{','.join(values)}], {formula})" if values else formula

    variables = f"sa: {substituted('ans1')};\nform: subsetp(setify(listofvars(ans1)), {{{names}}});"
    _text(SubElement(tree, "feedbackvariables"), variables)
    nodes = [("ta", "", "1"), *((formula, "".join(_paragraphs([feedback])), "0") for formula, feedback in wrong)]
    for place, (formula, feedback, score) in enumerate(nodes):
        _node(tree, place, "sa", substituted(formula), (score, feedback), ("0", ""), place + 1)
    words = f"<p>It is to be made of these names only: {names.replace(',', ', ')}.</p>"
    _node(tree, len(nodes), "form", "true", ("0", ""), ("0", words), -1)


def _node(
    tree: Element, place: int, sans: str, tans: str, true: tuple[str, str], false: tuple[str, str], following: int
) -> None:
    node = SubElement(tree, "node")
    for tag, text in (("name", str(place)), ("answertest", "AlgEquiv"), ("sans", sans), ("tans", tans)):
        SubElement(node, tag).text = text
    SubElement(node, "testoptions").text = ""
    SubElement(node, "quiet").text = "1"
    for branch, (score, feedback), after in (("true", true, -1), ("false", false, following)):
        SubElement(node, f"{branch}scoremode").text = "="
        SubElement(node, f"{branch}score").text = score
        SubElement(node, f"{branch}penalty").text = ""
        SubElement(node, f"{branch}nextnode").text = str(after)
        SubElement(node, f"{branch}answernote").text = f"prt1-{place + 1}-{branch[0].upper()}"
        _html(node, f"{branch}feedback", [feedback])


def _test(question: Element, number: int, formula: str, score: str, penalty: str) -> None:
    """Write a test case, which STACK runs when a teacher asks for it: this answer has this score at the node."""
    test = SubElement(question, "qtest")
    SubElement(test, "testcase").text = str(number)
    reply = SubElement(test, "testinput")
    SubElement(reply, "name").text = "ans1"
    SubElement(reply, "value").text = formula
    expected = SubElement(test, "expected")
    SubElement(expected, "name").text = "prt1"
    SubElement(expected, "expectedscore").text = score
    SubElement(expected, "expectedpenalty").text = penalty
    SubElement(expected, "expectedanswernote").text = f"prt1-{number}-T"


def _instructions(allowed: Iterable[Symbol]) -> Prose:
    names = listing([prose("{} as {}", name, typed_name(name)) for name in allowed], ", ")
    return prose("Type {}. Write * for every product and ^ for powers; the logarithm is ln.", names)


def _hints(question: Element, problem: Problem, choices: bool = True) -> None:
    """Write a hint before each further try; the last of them takes all that are left."""
    tries = len(problem.hints) + 1 if problem.attempts is None else problem.attempts
    for place in range(tries - 1):
        left = problem.hints[place:] if place == tries - 2 else problem.hints[place : place + 1]
        # Moodle counts tries by hints, and leaves out those that are empty.
        hint = _html(question, "hint", _paragraphs(left or problem.hints[-1:] or [prose("Try again.")]))
        if choices and isinstance(problem.answer, (OneChoice, ChooseAll)):
            SubElement(hint, "clearwrong")


def _solution(problem: Problem) -> list[str]:
    return _paragraphs(problem.solution)


def _paragraphs(paragraphs: Iterable[Prose]) -> list[str]:
    return [f"<p>{paragraph.to_mathjax()}</p>" for paragraph in paragraphs]


def _html(parent: Element, tag: str, paragraphs: Iterable[str]) -> Element:
    element = SubElement(parent, tag, format="html")
    _text(element, "".join(paragraphs))
    return element


def _text(parent: Element, text: str) -> None:
    SubElement(parent, "text").text = text
