"""Drawing problems: families, parameters, seeds."""

import pytest

import chainrule as cr
from chainrule.lessons import FAMILIES, generate


def test_a_parameter_that_is_given_holds_and_the_others_are_drawn() -> None:
    lengths = {generate("recursion", seed, activation="tanh").parameters["length"] for seed in range(30)}
    assert lengths == {2, 3, 4, 5}
    assert generate("recursion", 3, length=4).parameters["length"] == 4


def test_a_list_is_drawn_from() -> None:
    drawn = {generate("recursion", seed, length=[2, 5]).parameters["length"] for seed in range(30)}
    assert drawn == {2, 5}


@pytest.mark.parametrize(
    ("family", "parameters", "message"),
    [
        ("recursoin", {}, "unknown family of problems 'recursoin': did you mean 'recursion'?"),
        ("recursion", {"lenght": 2}, "unknown parameter of recursion 'lenght': did you mean 'length'?"),
        ("recursion", {"length": 1}, "recursion: length is 1, but may be a whole number from 2 to 5"),
        ("recursion", {"length": True}, "recursion: length is True"),
        ("recursion", {"length": []}, "recursion: length is an empty list"),
        ("recursion", {"activation": "relu6"}, "recursion: activation is 'relu6', but may be tanh or logistic"),
        ("weighted input", {"bias": "yes"}, "weighted input: bias is 'yes', but may be false or true"),
    ],
)
def test_what_cannot_be_is_refused(family: str, parameters: dict[str, object], message: str) -> None:
    with pytest.raises(cr.InputError) as error:
        generate(family, 0, **parameters)
    assert str(error.value).startswith(message)


def test_every_family_says_what_it_practises_and_what_its_parameters_mean() -> None:
    for name, family in FAMILIES.items():
        assert family.about
        assert not family.about.endswith("."), name
        assert all(parameter.meaning for parameter in family.parameters.values())
