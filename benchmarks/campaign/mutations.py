"""Small mutations of the engines: each an error that somebody might make, and that a test must notice.

None is equivalent to the code that it changes: an error that changes no number, only the path to it, is not listed.
"""

from __future__ import annotations

from dataclasses import dataclass

_NATIVE = ("tests/engines/test_native.py", "tests/engines/test_paths.py")
_ESTIMATORS = (*_NATIVE, "tests/estimators/test_like_scikit_learn.py")


@dataclass(frozen=True)
class Mutation:
    """An error: in a file, `old`, which occurs there exactly once, is replaced by `new`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def _of(file: str, tests: tuple[str, ...], *changes: tuple[str, str, str]) -> list[Mutation]:
    return [Mutation(name, file, old, new, tests) for name, old, new in changes]


MUTATIONS = [
    *_of(
        "native/predict.hpp",
        _NATIVE,
        (
            "few rows: softmax overwrites its input",
            "T* const lane_by_lane = scratch + 2 * rows * widest;",
            "T* const lane_by_lane = f == scratch ? scratch + rows * widest : scratch;",
        ),
        (
            "few rows: the first weights as bias",
            "load(layer.theta + layer.inputs * layer.units + j) : Vec<T>{}",
            "load(layer.theta + j) : Vec<T>{}",
        ),
        ("few rows: stride without padding", "f_stride = columns;", "f_stride = layer.units;"),
        (
            "predict: stride of a whole panel",
            "result[(begin + r) * outputs + j] = f[j * width + r];",
            "result[(begin + r) * outputs + j] = f[j * panel_rows<T> + r];",
        ),
        (
            "predict: ones in the last unit",
            "ones(z + layer.units * width, width);",
            "ones(z + (layer.units - 1) * width, width);",
        ),
    ),
    *_of(
        "native/panels.hpp",
        _NATIVE,
        (
            "gather: wrong last columns",
            "const int64_t first = j + lanes<T> <= units ? j : units - lanes<T>;",
            "const int64_t first = j + lanes<T> <= units ? j : units - lanes<T> - 1;",
        ),
        (
            "to rows: always the first vector",
            "load(from + (j + k) * width + w) : Vec<T>{}",
            "load(from + (j + k) * width) : Vec<T>{}",
        ),
        ("sparse columns: place one too far", "*to = Offset(n);", "*to = Offset(n + 1);"),
        (
            "forward: W by rows",
            "layer.rows, layer.theta, 1, layer.units, f, width",
            "layer.rows, layer.theta, layer.units, 1, f, width",
        ),
        ("softmax without the last unit", "softmax<T>(f, units, width);", "softmax<T>(f, units - 1, width);"),
        (
            "dropout: the mask of the first panel",
            "c.masks[i] + begin * c.layers[i].units : nullptr",
            "c.masks[i] : nullptr",
        ),
        (
            "sparse columns: all panels share one",
            "c.column_bits + begin / panel_rows<T> * inputs() : nullptr",
            "c.column_bits : nullptr",
        ),
        (
            "sparse columns: the nonzero ones do not move",
            "load(f + c.nonzero_columns[n] * at.width + w)",
            "load(f + n * at.width + w)",
        ),
    ),
    *_of(
        "native/pass.hpp",
        _NATIVE,
        (
            "back: W instead of its transpose",
            "Product<T>{layer.inputs, at.width, layer.units, layer.theta, layer.units, 1,",
            "Product<T>{layer.inputs, at.width, layer.units, layer.theta, 1, layer.units,",
        ),
        (
            "dropout: slopes by another unit's mask",
            "load(slopes + k) * load(mask + place + k)",
            "load(slopes + k) * load(mask + k)",
        ),
        (
            "large layers: ones after the first part",
            "if (first + units == layer.units) ones(f + numbers, at.width);",
            "if (first == 0) ones(f + numbers, at.width);",
        ),
        ("weights of rows are left out", "share *= load(weights);", "share *= all<T>(T(1));"),
        (
            "the loss of lanes without a row counts",
            "loss += valid_lanes ? of_rows / c.divisor * share : Vec<T>{};",
            "loss += of_rows / c.divisor * share;",
        ),
        (
            "the error of lanes without a row counts",
            "store(delta, valid_lanes ? load(delta) : Vec<T>{});",
            "store(delta, load(delta));",
        ),
        ("the slope is not divided by the outputs", "o, share / c.divisor);", "o, share);"),
        (
            "back: always the first piece of W",
            "layer.theta + (piece.row + r) * layer.units + piece.k,",
            "layer.theta + (piece.row + r) * layer.units,",
        ),
    ),
    *_of(
        "native/kernels.cpp",
        _NATIVE,
        ("groups: the last gradient only", "store(g + i, load(g + i) + load(h + i));", "store(g + i, load(h + i));"),
    ),
    *_of(
        "native/gradient.hpp",
        _NATIVE,
        (
            "gradient: the chunks before are lost",
            "columns + leftover, add ? to : nullptr};",
            "columns + leftover, nullptr};",
        ),
        (
            "gradient: panels of errors without padding",
            "p.b_advance = panel_rows<T> * layer.columns;",
            "p.b_advance = panel_rows<T> * layer.units;",
        ),
        ("gradient: the last panel is whole", "p.last_inner = in_last;", "p.last_inner = panel_rows<T>;"),
    ),
    *_of(
        "native/narrow.hpp",
        _NATIVE,
        (
            "narrow: no slope on the way back",
            "layer.units, errors, true);",
            "layer.units, errors, false);",
        ),
        (
            "narrow: two vectors for the rows of one",
            "return c.rows > lanes<T> ? narrow_pass<T, 2>",
            "return c.rows >= lanes<T> ? narrow_pass<T, 2>",
        ),
        ("narrow: the gradient of the first unit only", "delta = is_last ? deltas : delta;", "delta = deltas;"),
    ),
    *_of(
        "native/matrix.hpp",
        _NATIVE,
        ("blocks: wrong place of the lower ones", "block < higher ? block : higher", "block < higher ? block : 0"),
        ("products: added, not multiplied by F", "sums[r][j] *= load(p.times", "sums[r][j] += load(p.times"),
        ("products: B stays at its first piece", "p.b += k * p.b_stride;", "p.b += 0 * p.b_stride;"),
        ("products: the pieces before are lost", "p.add = k ? partial : nullptr;", "p.add = nullptr;"),
        ("sums over lanes: of the first units", "p.b + s * p.b_advance + first * width;", "p.b + s * p.b_advance;"),
        ("sums over lanes: the chunks before are lost", "add ? load(to) + all_sums : all_sums", "all_sums"),
        (
            "sums over lanes: the last panel is whole",
            "s + 1 < p.segments ? p.inner : p.last_inner",
            "s < p.segments ? p.inner : p.last_inner",
        ),
    ),
    *_of(
        "native/panel_product.hpp",
        _NATIVE,
        ("narrow: the last row but one is left out", "if (r + 2 <= rows)", "if (r + 2 < rows)"),
    ),
    *_of(
        "native/chain.hpp",
        _NATIVE,
        ("chain: the slope of the layer itself", "theta[0] * slopes[i - 1]", "theta[0] * slopes[i]"),
        ("chain: rows of weight 0 count", "c.weights[row] > 0 ? T(1) : T(0)", "c.weights[row] > 0 ? T(1) : T(1)"),
        ("chain: the bias is not learnt", "(theta[1] -= rate * delta)", "(theta[1] -= T(0) * delta)"),
    ),
    *_of(
        "native/activations.hpp",
        _NATIVE,
        ("tanh: 1 - f as slope", "return T(1) - f * f; }", "return T(1) - f; }"),
        ("leaky relu: slope 0 below 0", "z > 0 ? all<T>(T(1)) : all<T>(a)", "z > 0 ? all<T>(T(1)) : all<T>(a - a)"),
        ("selu: alpha without its scale", "all<T>(scale) : f + scale * alpha", "all<T>(scale) : f + alpha"),
        ("softsign: slope without its square", "return T(1) / (d * d);", "return T(1) / d;"),
        ("softmax: the last z for the largest", "largest = z > largest ? z : largest;", "largest = z;"),
    ),
    *_of(
        "native/functions.hpp",
        (*_NATIVE, "tests/engines/test_native_functions.py"),
        ("tanh in float32 never reaches 1", "float tanh_is_one = 9.5f;", "float tanh_is_one = 8.0f;"),
        ("exp in float64 overflows too late", "exp_high = 710.0;", "exp_high = 700.0;"),
        ("sin: quarter turns backwards", "Integers<T>) + quarter;", "Integers<T>) - quarter;"),
    ),
    *_of(
        "native/losses.hpp",
        _NATIVE,
        (
            "half squared error: its slope doubled",
            "Vec<T> f, T) { return f - y; }",
            "Vec<T> f, T) { return T(2) * (f - y); }",
        ),
        ("huber: without the half", "((f - y) - T(0.5) * c)", "((f - y) - c)"),
        ("quantile: the sign below", "f < y ? all<T>(-tau)", "f < y ? all<T>(tau)"),
        ("softmax: only the diagonal of its derivative", "(load(o.slopes + at) - together)", "(load(o.slopes + at))"),
        ("label smoothing: not over the classes", "mass * (epsilon / T(o.units))", "mass * epsilon"),
        ("cross entropy: as if targets summed to 1", "load(o.f + at) * mass - y", "load(o.f + at) - y"),
        ("poisson: the sign of its slope", "return T(1) - y / f;", "return y / f - T(1);"),
        ("canonical links: the sign of the error", "factor * (load(o.f + at) - y)", "factor * (y - load(o.f + at))"),
    ),
    *_of(
        "native/optimizers.hpp",
        _NATIVE,
        (
            "nesterov: the velocity without momentum",
            "!= 0 ? s.c[momentum] * velocity - s.rate * g",
            "!= 0 ? velocity - s.rate * g",
        ),
        (
            "adam: beta1 for beta2",
            "s.c[beta2] * square + (T(1) - s.c[beta2])",
            "s.c[beta2] * square + (T(1) - s.c[beta1])",
        ),
        (
            "adamw: decay without the rate",
            "theta -= s.rate * s.c[weight_decay] * theta;",
            "theta -= s.c[weight_decay] * theta;",
        ),
        (
            "rmsprop: rho for epsilon",
            "(T(1) - s.c[decay]) * (g * g);\n        theta -= s.rate * g / (square_root<T>(square) + s.c[epsilon]);",
            "(T(1) - s.c[decay]) * (g * g);\n        theta -= s.rate * g / (square_root<T>(square) + s.c[decay]);",
        ),
        ("rprop: no rest after a change of sign", "before = agreement < 0 ? Vec<T>{} : g;", "before = g;"),
        ("rprop: steps that cannot grow", "at_most<T>(size, T(1e3))", "at_most<T>(size, T(1.1))"),
        (
            "penalty: the last weights lose their gradient",
            "g[i] += slope(all<T>(w[i]))[0];",
            "g[i] = slope(all<T>(w[i]))[0];",
        ),
        ("penalty: without the half", "T(0.5) * l2 * (w * w)", "l2 * (w * w)"),
    ),
    *_of(
        "native/passes.hpp",
        _ESTIMATORS,
        (
            "batches: shares by rows, not by weights",
            "rows.weight > 0 ? T(1 / rows.weight) : T(0);",
            "rows.weight > 0 ? T(1 / double(rows.count)) : T(0);",
        ),
        (
            "dropout: every chunk draws as the first",
            "done + begin, count, net_.layers[i].units",
            "begin, count, net_.layers[i].units",
        ),
    ),
    *_of(
        "native/run.hpp",
        _ESTIMATORS,
        (
            "dropout: rows of a full batch in their order",
            "(settings.batch_size < training.rows || settings.has_dropout())",
            "(settings.batch_size < training.rows)",
        ),
        (
            "the loss of an epoch by weights",
            "LossWeighting::rows ? double(rows) : weight",
            "LossWeighting::rows ? weight : weight",
        ),
        (
            "chain: after a while from the first row",
            "order.data() + batch, rates, steps",
            "order.data(), rates, steps",
        ),
    ),
    *_of(
        "native/step.hpp",
        _ESTIMATORS,
        (
            "clipping: by the norm allowed alone",
            "T(1) : T(settings_.clip_norm / length)",
            "T(1) : T(settings_.clip_norm)",
        ),
        (
            "groups: the second is left out",
            "for (std::size_t k = 1; k < groups.size(); k++)",
            "for (std::size_t k = 2; k < groups.size(); k++)",
        ),
        (
            "penalty: on biases, too",
            "net_.begins[i] + net_.layers[i].inputs * net_.layers[i].units",
            "net_.begins[i] + net_.layers[i].rows * net_.layers[i].units",
        ),
        ("adam: beta1 in the correction of v", "std::sqrt(1 - powers_[1])", "std::sqrt(1 - powers_[0])"),
        (
            "adam: the two forms of epsilon exchanged",
            "s.c[epsilon_hat] != 0 ? s.c[epsilon]",
            "s.c[epsilon_hat] == 0 ? s.c[epsilon]",
        ),
    ),
    *_of(
        "native/stopping.hpp",
        _ESTIMATORS,
        ("early stopping: without its tolerance", "loss < best_loss - tolerance_", "loss < best_loss"),
        (
            "scikit-learn's plateau: an epoch too early",
            "return waited > patience_;",
            "return waited >= patience_;",
        ),
    ),
    *_of(
        "native/workspace.hpp",
        _ESTIMATORS,
        (
            "sparse columns: those of the last panel only",
            "all_bits_[std::size_t(k)] |=",
            "all_bits_[std::size_t(k)] =",
        ),
    ),
    *_of(
        "native/predictor.hpp",
        _NATIVE,
        ("predict: wrong rows after the first part", "x.data() + begin * inputs", "x.data() + begin * outputs"),
    ),
    *_of(
        "native/random.hpp",
        (*_NATIVE, "tests/test_randomness.py"),
        ("philox: counted from 0", "{k + 1, layer, batch, epoch}", "{k, layer, batch, epoch}"),
    ),
    *_of(
        "src/chainrule/backpropagation.py",
        ("tests/test_backpropagation.py", *_NATIVE),
        (
            "back: without the slope",
            "return like(net.layers[i - 1].activation.back(slope_of_loss, z[i], f[i]), z[i])",
            "return slope_of_loss",
        ),
        (
            "back: dropout does not stop the error",
            "slope_of_loss * masks[i] if i in masks else slope_of_loss",
            "slope_of_loss if i in masks else slope_of_loss",
        ),
        ("gradient: of activations before dropout", "passed_on(f, masks, i - 1).T @ shared", "f[i - 1].T @ shared"),
        (
            "link: the error is not divided",
            "like(slope, z[-1]) / net.loss_divisor",
            "like(slope, z[-1])",
        ),
        (
            "loss: not divided",
            "namespace(of_outputs).sum(of_outputs, axis=-1) / net.loss_divisor",
            "namespace(of_outputs).sum(of_outputs, axis=-1)",
        ),
        (
            "gradient of b: without the shares",
            "namespace(shared).sum(shared, axis=0)",
            "namespace(shared).sum(delta[i], axis=0)",
        ),
        ("the slope of the layer after", "net.layers[i - 1].activation.back(", "net.layers[i].activation.back("),
    ),
    *_of(
        "src/chainrule/activations.py",
        ("tests/test_activations.py", *_NATIVE),
        (
            "logistic: f as slope",
            "value=_logistic, slope=lambda z, f: f * (1.0 - f)",
            "value=_logistic, slope=lambda z, f: f",
        ),
        ("softmax: the sum without f", "row_sum(slope_of_loss * f)", "row_sum(slope_of_loss)"),
        ("gelu: the density without its half", "exp(-0.5 * z**2)", "exp(-1.0 * z**2)"),
        ("leaky relu: slope 1 + a above 0", "a + (1.0 - a) * step(z)", "a + step(z)"),
    ),
    *_of(
        "src/chainrule/losses.py",
        ("tests/test_losses.py", *_NATIVE),
        ("squared error: half its slope", "slope=lambda y, f: 2.0 * (f - y)", "slope=lambda y, f: 1.0 * (f - y)"),
        ("log cosh: without log 2", "- math.log(2.0)", "- math.log(1.0)"),
        ("cross entropy of the symbols: targets that sum to 1", "f * row_sum(smooth(y)) - smooth(y)", "f - smooth(y)"),
        ("label smoothing: by the sum", "epsilon * row_mean(y)", "epsilon * row_sum(y)"),
        ("binary cross entropy: the sign of y z", "softplus(z) - y * z", "softplus(z) + y * z"),
    ),
    *_of(
        "src/chainrule/optimizers.py",
        ("tests/test_optimizers.py", *_NATIVE),
        ("adam: beta1 corrects v", "square / (1.0 - self.beta2**step)", "square / (1.0 - self.beta1**step)"),
        ("adagrad: forgets", 'memory["square"] + g**2', '0.0 * memory["square"] + g**2'),
        (
            "adamw: decays without the rate",
            "theta - rate * self.weight_decay * theta",
            "theta - self.weight_decay * theta",
        ),
        (
            "rprop: goes on after a change of sign",
            "g = xp.where(agreement < 0.0, 0.0 * g, g)",
            "g = xp.where(agreement < 0.0, g, g)",
        ),
        (
            "momentum: uphill",
            'self.momentum * memory["velocity"] - rate * g',
            'self.momentum * memory["velocity"] + rate * g',
        ),
    ),
]
