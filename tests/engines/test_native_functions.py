"""Every native activation and its derivative against mpmath, over all floats and on every instruction set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

from chainrule.activations import ACTIVATIONS
from chainrule.engines import _native, extension

SETS = extension.instruction_sets()
DTYPES = ["float32", "float64"]
DIGITS = 40
PIECE = 10_000  # numbers of mpmath at a time: a million would keep the garbage collector busy
ALPHA = 1.6732632423543772  # of selu
SCALE = 1.0507009873554805

# An error of f′ that is allowed where |f′| is below ½, even if it is more than 8 units in the last place.
VANISHING = {"float32": 1e-6, "float64": 1e-15}


@dataclass(frozen=True)
class Exact:
    """f(z) and f′(z) in 40 digits, for |z| up to `reach`; beyond it each equals its asymptote in both dtypes."""

    values: Callable[[Any], tuple[Any, Any]]
    low: Callable[[Any], tuple[Any, Any]] = lambda z: (mpf(0), mpf(0))
    high: Callable[[Any], tuple[Any, Any]] = lambda z: (z, mpf(1))
    reach: float = 2000.0
    is_monotone: bool = True

    def __call__(self, z: float) -> tuple[Any, Any]:
        """Return f(z) and f′(z)."""
        return self.low(mpf(z)) if z < -self.reach else self.high(mpf(z)) if z > self.reach else self.values(mpf(z))


def tanh(z: Any) -> tuple[Any, Any]:
    return mpmath.tanh(z), mpmath.sech(z) ** 2


def logistic(z: Any) -> tuple[Any, Any]:
    e = mpmath.exp(-z)
    return 1 / (1 + e), e / (1 + e) ** 2


def elu(z: Any, alpha: float = 1.0, scale: float = 1.0) -> tuple[Any, Any]:
    if z > 0:
        return scale * z, mpf(scale)
    return scale * alpha * mpmath.expm1(z), scale * alpha * mpmath.exp(z)


def gelu(z: Any) -> tuple[Any, Any]:
    distribution = mpmath.erfc(-z / mpmath.sqrt(2)) / 2
    return z * distribution, distribution + z * mpmath.exp(-z * z / 2) / mpmath.sqrt(2 * mp.pi)


def gelu_tanh(z: Any) -> tuple[Any, Any]:
    c = 2 * mpmath.sqrt(2 / mp.pi)
    share, slope = logistic(c * (z + mpf("0.044715") * z**3))
    return z * share, share + z * slope * c * (1 + 3 * mpf("0.044715") * z * z)


def silu(z: Any) -> tuple[Any, Any]:
    share, slope = logistic(z)
    return z * share, share + z * slope


def softplus(z: Any) -> tuple[Any, Any]:
    return mpmath.log1p(mpmath.exp(z)), logistic(z)[0]


def softsign(z: Any) -> tuple[Any, Any]:
    return z / (1 + abs(z)), 1 / (1 + abs(z)) ** 2


EXACT: dict[str, Exact] = {
    "identity": Exact(lambda z: (z, mpf(1)), low=lambda z: (z, mpf(1))),
    "tanh": Exact(tanh, low=lambda z: (mpf(-1), mpf(0)), high=lambda z: (mpf(1), mpf(0))),
    "logistic": Exact(logistic, high=lambda z: (mpf(1), mpf(0))),
    "relu": Exact(lambda z: (max(z, 0), mpf(z > 0))),
    "leaky_relu": Exact(
        lambda z: (z, mpf(1)) if z > 0 else (mpf(0.01) * z, mpf(0.01)), low=lambda z: (mpf(0.01) * z, mpf(0.01))
    ),
    "elu": Exact(elu, low=lambda z: (mpf(-1), mpf(0))),
    "selu": Exact(
        lambda z: elu(z, ALPHA, SCALE),
        low=lambda z: (-SCALE * mpf(ALPHA), mpf(0)),
        high=lambda z: (SCALE * z, mpf(SCALE)),
    ),
    "gelu": Exact(gelu, reach=60.0, is_monotone=False),
    "gelu_tanh": Exact(gelu_tanh, reach=60.0, is_monotone=False),
    "silu": Exact(silu, is_monotone=False),
    "softplus": Exact(softplus),
    "softsign": Exact(softsign, reach=np.inf),
    "sin": Exact(lambda z: (mpmath.sin(z), mpmath.cos(z)), reach=np.inf, is_monotone=False),
    "exponential": Exact(lambda z: (mpmath.exp(z), mpmath.exp(z)), high=lambda z: (mp.inf, mp.inf)),
}
PARAMETERS = {"leaky_relu": 0.01, "elu": 1.0}
LIMITS = {
    "tanh": (-1.0, 1.0),
    "logistic": (0.0, 1.0),
    "elu": (-1.0, None),
    "relu": (0.0, None),
    "softplus": (0.0, None),
}
LIMITS |= {"gelu": (0.0, None), "gelu_tanh": (0.0, None), "silu": (0.0, None)}


def floats(dtype: str, count: int, seed: int = 0) -> Any:
    """Return sorted floats: a third with every exponent, a third where functions bend, a third runs of neighbours."""
    random = np.random.default_rng(seed)
    bits = np.dtype(f"u{np.dtype(dtype).itemsize}")
    every = random.integers(0, np.iinfo(bits).max, count // 3, dtype=bits, endpoint=True).view(dtype)
    reach = 120.0 if dtype == "float32" else 800.0
    bends = np.concatenate([random.normal(0, 3, count // 6), random.uniform(-reach, reach, count // 6)]).astype(dtype)
    begins = np.concatenate([random.normal(0, 3, count // 600), random.uniform(-25, 25, count // 600)]).astype(dtype)
    runs = (begins.view(bits)[:, None] + np.arange(100, dtype=bits)).view(dtype).ravel()
    return np.unique(np.concatenate([every[np.isfinite(every)], bends, runs]))


def computed(name: str, z: Any, isa: str) -> tuple[Any, Any]:
    """Return f(z) and f′(z) as the native engine uses them."""
    return _native.activation(name, PARAMETERS.get(name, 0.0), z, isa)


@dataclass(frozen=True)
class Rounded:
    """Exact numbers, each as the sum of two floats: 106 bits, enough to measure errors of a unit in the last place."""

    high: Any
    low: Any

    @classmethod
    def of(cls, exact: Sequence[Any]) -> Rounded:
        """Round numbers of mpmath; what is larger than all floats becomes infinite."""
        high = [float(value) for value in exact]
        low = [float(value - one) if math.isfinite(one) else 0.0 for value, one in zip(exact, high, strict=True)]
        return cls(np.array(high), np.array(low))

    @classmethod
    def joined(cls, parts: Iterable[Rounded]) -> Rounded:
        """Put the numbers of several one after the other."""
        high, low = zip(*((part.high, part.low) for part in parts), strict=True)
        return cls(np.concatenate(high), np.concatenate(low))

    def errors(self, found: Any) -> tuple[Any, Any]:
        """Return how far numbers of a dtype are from these: in units in the last place of these, and as they are."""
        high = np.where(np.abs(self.high) > np.finfo(found.dtype).max, np.copysign(np.inf, self.high), self.high)
        low = np.where(np.isfinite(high), self.low, 0.0)
        rounded = np.where(np.isfinite(high), high, 1.0).astype(found.dtype)
        with np.errstate(invalid="ignore", over="ignore"):
            error = np.where(found == high, np.abs(low), np.abs(found.astype(float) - high - low))
            return error / np.spacing(np.abs(rounded)).astype(float), error


def exactly(name: str, z: Any) -> tuple[Rounded, Rounded]:
    """Return f(z) and f′(z) of some numbers."""
    values, slopes = zip(*map(EXACT[name], z.tolist()), strict=True)
    return Rounded.of(values), Rounded.of(slopes)


def assert_accurate(name: str, dtype: str, count: int) -> None:
    """Compare the values and derivatives of one activation with exact ones, on every instruction set."""
    z = floats(dtype, count)
    with mp.workdps(DIGITS):
        pieces = [exactly(name, some) for some in np.array_split(z, -(-len(z) // PIECE))]
    values, slopes = (Rounded.joined(parts) for parts in zip(*pieces, strict=True))
    for isa in SETS:
        f, slope = computed(name, z, isa)
        in_units, _ = values.errors(f)
        worst = int(np.argmax(in_units))
        assert in_units[worst] <= 4.0, f"{isa}: f({z[worst]!r}) = {f[worst]!r}, by {in_units[worst]:.2f} units"
        in_units, error = slopes.errors(slope)
        vanishes = np.abs(slopes.high) < 0.5
        wrong = (in_units > 8.0) & ~(vanishes & (error <= VANISHING[dtype]))
        worst = int(np.argmax(np.where(wrong, in_units, 0)))
        assert not wrong.any(), f"{isa}: f'({z[worst]!r}) = {slope[worst]!r}, by {in_units[worst]:.2f} units"


def test_every_activation_but_softmax_has_an_exact_counterpart() -> None:
    assert {*EXACT} == {*ACTIVATIONS} - {"softmax"}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_values_are_within_4_units_in_the_last_place_and_derivatives_within_8(name: str, dtype: str) -> None:
    assert_accurate(name, dtype, count=3000)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_a_million_values_are_within_4_units_in_the_last_place_and_derivatives_within_8(name: str, dtype: str) -> None:
    assert_accurate(name, dtype, count=1_050_000)


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name, exact in EXACT.items() if exact.is_monotone])
def test_values_never_fall_where_the_function_rises(name: str, dtype: str, isa: str) -> None:
    """Neighbouring floats included: two thirds of a million are in runs of a hundred or dense where functions bend."""
    z = floats(dtype, 1_000_000, seed=1)
    f, _ = computed(name, z, isa)
    falls = np.flatnonzero(f[1:] < f[:-1])
    assert not len(falls), f"f({z[falls[0]]!r}) = {f[falls[0]]!r} and f({z[falls[0] + 1]!r}) = {f[falls[0] + 1]!r}"


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_reached_exactly_and_stay(name: str, dtype: str, isa: str) -> None:
    """tanh z is 1 and its derivative 0 where the dtype has no number between the exact one and 1; and so on."""
    reach = 110.0 if dtype == "float32" else 760.0
    far = np.geomspace(reach, 0.9 * np.finfo(dtype).max, 1000).astype(dtype)
    for z, limit in zip((-far, far), LIMITS[name], strict=True):
        f, slope = computed(name, z, isa)
        assert (f == (z if limit is None else limit)).all()
        assert (slope == (1.0 if limit is None else 0.0)).all()


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_limits_at_infinity_are_those_of_the_reference_engine(name: str, dtype: str, isa: str) -> None:
    z = np.array([-np.inf, np.inf], dtype)
    reference = ACTIVATIONS[name]()
    with np.errstate(invalid="ignore"):
        value = reference.value(z)
        expected = value, reference.slope(z, value)
    np.testing.assert_array_equal(computed(name, z, isa), expected)


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_tanh_is_1_and_its_derivative_0_from_where_rounding_makes_it_so(dtype: str, isa: str) -> None:
    begin = 9.02 if dtype == "float32" else 19.1
    z = np.linspace(begin, begin + 3, 10_000, dtype=dtype)
    for sign in (1, -1):
        f, slope = computed("tanh", sign * z, isa)
        assert (f == sign).all()
        assert (slope == 0).all()


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", EXACT)
def test_nan_stays_nan_and_zero_keeps_its_sign_in_odd_functions(name: str, dtype: str, isa: str) -> None:
    f, slope = computed(name, np.array([np.nan, 0.0, -0.0], dtype), isa)
    assert np.isnan(f[0])
    if name in ("identity", "tanh", "softsign"):
        assert np.signbit(f[1:]).tolist() == [False, True]
        assert (slope[1:] == 1).all()


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "exact"), [("exp", mpmath.exp), ("expm1", mpmath.expm1), ("log", mpmath.log)])
def test_the_functions_of_losses_are_within_4_units_in_the_last_place(
    name: str, exact: Callable[[Any], Any], dtype: str, isa: str
) -> None:
    z = floats(dtype, 9000)
    low, high = {"exp": (-800.0, 800.0), "expm1": (-800.0, 40.0), "log": (0.0, np.inf)}[name]
    z = z[(z > low) & (z < high)]
    with mp.workdps(DIGITS):
        values = Rounded.of([exact(mpf(value)) for value in z.tolist()])
    in_units, _ = values.errors(_native.function(name, z, isa))
    assert in_units.max() <= 4.0


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_logarithms_and_powers_at_the_ends_of_their_range(dtype: str, isa: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], dtype)
    np.testing.assert_array_equal(_native.function("exp", x, isa), [np.nan, np.inf, 0.0, 1.0, 1.0])
    np.testing.assert_array_equal(_native.function("log", x, isa), [np.nan, np.inf, np.nan, -np.inf, -np.inf])


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_tanh_of_chains_is_accurate_and_reaches_its_limits(dtype: str, isa: str) -> None:
    """It takes one number at a time; in float32 it is another function, which is not monotone."""
    z = floats(dtype, 9000)
    with mp.workdps(DIGITS):
        values, slopes = (Rounded.of(list(exact)) for exact in zip(*map(EXACT["tanh"], z.tolist()), strict=True))
    f = _native.function("tanh_of_one", z, isa)
    assert values.errors(f)[0].max() <= 4.0
    in_units, error = slopes.errors(1 - f * f)  # as a chain computes it
    assert ((in_units <= 8.0) | (error <= VANISHING[dtype])).all()
    limits = np.linspace(12.5 * math.log(2) if dtype == "float32" else 19.1, 30.0, 10_000, dtype=dtype)
    for sign in (1, -1):
        assert (_native.function("tanh_of_one", sign * np.append(limits, np.inf).astype(dtype), isa) == sign).all()


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_tanh_of_chains_is_odd_and_between_its_limits_and_keeps_nan(dtype: str, isa: str) -> None:
    z = np.abs(floats(dtype, 100_000))
    f = _native.function("tanh_of_one", z, isa)
    assert ((f >= 0) & (f <= 1)).all()
    assert (_native.function("tanh_of_one", -z, isa) == -f).all()
    special = _native.function("tanh_of_one", np.array([np.nan, 0.0, -0.0], dtype), isa)
    assert np.isnan(special[0])
    assert np.signbit(special[1:]).tolist() == [False, True]
