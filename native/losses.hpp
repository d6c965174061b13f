// Losses: the formulae of chainrule/losses.py. Of a row's outputs they give ℒ, and δ_L = ∂ℒ/∂z_L times a factor.
#pragma once

#include "activations.hpp"

namespace chainrule::CHAINRULE_ISA {

// Each loss has ℒ(y, f) and its slope ∂ℒ/∂f for one output; `p` is its parameter where it has one.
template <class T> struct SquaredError {
    static Vec<T> value(Vec<T> y, Vec<T> f, T) { return (y - f) * (y - f); }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T) { return T(2) * (f - y); }
};
template <class T> Vec<T> sign(Vec<T> x) {
    return x > 0 ? all<T>(T(1)) : (x < 0 ? all<T>(T(-1)) : x);
}
template <class T> struct AbsoluteError {
    static Vec<T> value(Vec<T> y, Vec<T> f, T) { return absolute<T>(f - y); }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T) { return sign<T>(f - y); }
};
template <class T> struct Huber {
    static Vec<T> value(Vec<T> y, Vec<T> f, T t) {
        const Vec<T> c = slope(y, f, t);
        return c * ((f - y) - T(0.5) * c);
    }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T t) { return at_least<T>(at_most<T>(f - y, t), -t); }
};
template <class T> struct LogCosh {
    static Vec<T> value(Vec<T> y, Vec<T> f, T) {
        const Vec<T> e = absolute<T>(f - y);
        return e + softplus<T>(T(-2) * e) - T(0.69314718055994530942);
    }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T) { return tanh<T>(f - y); }
};
template <class T> struct Quantile {
    static Vec<T> value(Vec<T> y, Vec<T> f, T tau) {
        return tau * at_least<T>(y - f, T(0)) + (T(1) - tau) * at_least<T>(f - y, T(0));
    }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T tau) {
        return f > y ? all<T>(T(1) - tau) : (f < y ? all<T>(-tau) : f - y);
    }
};
template <class T> Vec<T> y_log_y(Vec<T> y) { return y > 0 ? y * log<T>(y) : Vec<T>{}; }
template <class T> struct Poisson {
    static Vec<T> value(Vec<T> y, Vec<T> f, T) { return f - y + y_log_y<T>(y) - y * log<T>(f); }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T) { return T(1) - y / f; }
};

// Those with a canonical link are computed from z, and have δ = f − y.
template <class T> struct BinaryCrossEntropyOfLogistic {
    static Vec<T> value(Vec<T> y, Vec<T> z, T) { return softplus<T>(z) - y * z; }
};
template <class T> struct PoissonOfExponential {
    static Vec<T> value(Vec<T> y, Vec<T> z, T) { return exp<T>(z) - y + y_log_y<T>(y) - y * z; }
};

// A row of outputs; beyond `units` its numbers are padding, which must not count.
template <class T> struct Output {
    const T *y, *z, *f, *slope;  // slope is f′(z) where the activation has one for each unit
    T* delta;
    int64_t units;
    T parameter;

    Vec<T> kept(Vec<T> v, int64_t j, T beyond = 0) const {
        const auto left = decltype(lane_numbers<T>()[0] + 0)(units - j);
        return lane_numbers<T>() < left ? v : all<T>(beyond);
    }
};

// Each returns ℒ and writes δ · factor.
template <class T, class Loss> T per_output(const Output<T>& o, T factor) {
    Vec<T> total = {};
    for (int64_t j = 0; j < o.units; j += lanes<T>) {
        const Vec<T> y = load(o.y + j), f = load(o.f + j);
        total += o.kept(Loss::value(y, f, o.parameter), j);
        store(o.delta + j, o.kept(factor * Loss::slope(y, f, o.parameter) * load(o.slope + j), j));
    }
    return sum<T>(total);
}

// Through softmax: ∂ℒ/∂z = f ⊙ (g − Σ_k g_k f_k) with g = ∂ℒ/∂f.
template <class T, class Loss> T through_softmax(const Output<T>& o, T factor) {
    Vec<T> total = {}, together = {};
    for (int64_t j = 0; j < o.units; j += lanes<T>) {
        const Vec<T> y = load(o.y + j), f = load(o.f + j), g = Loss::slope(y, f, o.parameter);
        total += o.kept(Loss::value(y, f, o.parameter), j);
        together += o.kept(g * f, j);
        store(o.delta + j, o.kept(g, j));
    }
    const T mean = sum<T>(together);
    for (int64_t j = 0; j < o.units; j += lanes<T>)
        store(o.delta + j, o.kept(factor * load(o.f + j) * (load(o.delta + j) - mean), j));
    return sum<T>(total);
}

template <class T, class Link> T linked(const Output<T>& o, T factor) {
    Vec<T> total = {};
    for (int64_t j = 0; j < o.units; j += lanes<T>) {
        const Vec<T> y = load(o.y + j);
        total += o.kept(Link::value(y, load(o.z + j), T(0)), j);
        store(o.delta + j, o.kept(factor * (load(o.f + j) - y), j));
    }
    return sum<T>(total);
}

// −Σ_k y_k (z_k − log Σ_j e^{z_j}) with y smoothed to (1 − ε) y + ε Σy / K; δ = f Σ_k y_k − y. Softmax has made the sum
// already: with m the largest z, its f is 1 / Σ_j e^{z_j − m}.
template <class T> T cross_entropy(const Output<T>& o, T factor) {
    const T epsilon = o.parameter;
    Vec<T> labels = {}, largest = all<T>(-T(__builtin_huge_val())), likeliest = {}, total = {};
    for (int64_t j = 0; j < o.units; j += lanes<T>) {
        labels += o.kept(load(o.y + j), j);
        const Vec<T> z = o.kept(load(o.z + j), j, -T(__builtin_huge_val())), f = o.kept(load(o.f + j), j);
        largest = z > largest ? z : largest;
        likeliest = f > likeliest ? f : likeliest;
    }
    const T mass = sum<T>(labels), m = maximum<T>(largest);
    const T log_sum = -log<T>(all<T>(maximum<T>(likeliest)))[0];
    for (int64_t j = 0; j < o.units; j += lanes<T>) {
        const Vec<T> y = (T(1) - epsilon) * load(o.y + j) + epsilon * mass / T(o.units);
        total -= o.kept(y * ((load(o.z + j) - m) - log_sum), j);
        store(o.delta + j, o.kept(factor * (load(o.f + j) * mass - y), j));
    }
    return sum<T>(total);
}

template <class T> T loss_of_row(int loss, int activation, const Output<T>& o, T factor) {
    constexpr int exponential = 13, softmax = 14;  // places in `activation_names`
    const bool joint = activation == softmax;
    switch (loss) {  // in the order of `loss_names` in kernels.hpp
        case 0: return (joint ? through_softmax<T, SquaredError<T>> : per_output<T, SquaredError<T>>)(o, factor);
        case 1: return (joint ? through_softmax<T, AbsoluteError<T>> : per_output<T, AbsoluteError<T>>)(o, factor);
        case 2: return (joint ? through_softmax<T, Huber<T>> : per_output<T, Huber<T>>)(o, factor);
        case 3: return (joint ? through_softmax<T, LogCosh<T>> : per_output<T, LogCosh<T>>)(o, factor);
        case 4: return (joint ? through_softmax<T, Quantile<T>> : per_output<T, Quantile<T>>)(o, factor);
        case 5:
            return (activation == exponential ? linked<T, PoissonOfExponential<T>> : per_output<T, Poisson<T>>)(o, factor);
        case 6: return cross_entropy<T>(o, factor);
        default: return linked<T, BinaryCrossEntropyOfLogistic<T>>(o, factor);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
