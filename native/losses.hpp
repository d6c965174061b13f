// Losses: the formulae of chainrule/losses.py. Of the outputs they give ℒ, and δ_L = ∂ℒ/∂z_L times a factor.
#pragma once

#include "activations.hpp"
#include "kernels.hpp"

namespace chainrule::CHAINRULE_ISA {

// Each loss has ℒ(y, f) and its slope ∂ℒ/∂f for one output; `p` is its parameter where it has one.
template <class T> struct SquaredError {
    static Vec<T> value(Vec<T> y, Vec<T> f, T) { return (y - f) * (y - f); }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T) { return T(2) * (f - y); }
};
template <class T> struct HalfSquaredError {
    static Vec<T> value(Vec<T> y, Vec<T> f, T) { return T(0.5) * ((y - f) * (y - f)); }
    static Vec<T> slope(Vec<T> y, Vec<T> f, T) { return f - y; }
};
template <class T> Vec<T> sign(Vec<T> x) { return x > 0 ? all<T>(T(1)) : (x < 0 ? all<T>(T(-1)) : x); }
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

// The outputs of as many rows as there are lanes, one lane for each: unit j's numbers are at j · width.
template <class T> struct Outputs {
    const T *y, *z, *f;
    T* slopes;  // f′(z) where the activation has one for each unit; δ takes their place
    int64_t units, width;
    T parameter;
};

// Each returns ℒ of every row and leaves δ · factor.
template <class T, class Loss> Vec<T> per_output(const Outputs<T>& o, Vec<T> factor) {
    Vec<T> total = {};
    for (int64_t at = 0; at < o.units * o.width; at += o.width) {
        const Vec<T> y = load(o.y + at), f = load(o.f + at);
        total += Loss::value(y, f, o.parameter);
        store(o.slopes + at, factor * Loss::slope(y, f, o.parameter) * load(o.slopes + at));
    }
    return total;
}

// Through softmax: ∂ℒ/∂z = f ⊙ (g − Σ_k g_k f_k) with g = ∂ℒ/∂f.
template <class T, class Loss> Vec<T> through_softmax(const Outputs<T>& o, Vec<T> factor) {
    Vec<T> total = {}, together = {};
    for (int64_t at = 0; at < o.units * o.width; at += o.width) {
        const Vec<T> y = load(o.y + at), f = load(o.f + at), g = Loss::slope(y, f, o.parameter);
        total += Loss::value(y, f, o.parameter);
        together += g * f;
        store(o.slopes + at, g);
    }
    for (int64_t at = 0; at < o.units * o.width; at += o.width)
        store(o.slopes + at, factor * load(o.f + at) * (load(o.slopes + at) - together));
    return total;
}

template <class T, class Link> Vec<T> linked(const Outputs<T>& o, Vec<T> factor) {
    Vec<T> total = {};
    for (int64_t at = 0; at < o.units * o.width; at += o.width) {
        const Vec<T> y = load(o.y + at);
        total += Link::value(y, load(o.z + at), T(0));
        store(o.slopes + at, factor * (load(o.f + at) - y));
    }
    return total;
}

// −Σ_k y_k (z_k − log Σ_j e^{z_j}) with y smoothed to (1 − ε) y + ε Σy / K; δ = f Σ_k y_k − y. Softmax has made the sum
// already: with m the largest z, its f is 1 / Σ_j e^{z_j − m}.
template <class T> Vec<T> cross_entropy(const Outputs<T>& o, Vec<T> factor) {
    const T epsilon = o.parameter;
    Vec<T> mass = {}, m = load(o.z), likeliest = load(o.f), total = {};
    for (int64_t at = 0; at < o.units * o.width; at += o.width) {
        mass += load(o.y + at);
        const Vec<T> z = load(o.z + at), f = load(o.f + at);
        m = z > m ? z : m;
        likeliest = f > likeliest ? f : likeliest;
    }
    const Vec<T> log_likeliest = log<T>(likeliest), floor = mass * (epsilon / T(o.units));
    for (int64_t at = 0; at < o.units * o.width; at += o.width) {
        const Vec<T> y = (T(1) - epsilon) * load(o.y + at) + floor;
        total -= y * (load(o.z + at) - m + log_likeliest);
        store(o.slopes + at, factor * (load(o.f + at) * mass - y));
    }
    return total;
}

template <class T>
Vec<T> loss_of_rows(LossName loss, ActivationName activation, const Outputs<T>& o, Vec<T> factor) {
    const bool joint = activation == ActivationName::softmax;
    switch (loss) {
#define CHAINRULE_CASE(name, Formula) \
    case LossName::name: return (joint ? through_softmax<T, Formula<T>> : per_output<T, Formula<T>>)(o, factor);
        CHAINRULE_LOSSES_OF_OUTPUTS(CHAINRULE_CASE)
#undef CHAINRULE_CASE
        case LossName::poisson:
            return (activation == ActivationName::exponential ? linked<T, PoissonOfExponential<T>>
                                                              : per_output<T, Poisson<T>>)(o, factor);
        case LossName::cross_entropy: return cross_entropy<T>(o, factor);
        case LossName::binary_cross_entropy: return linked<T, BinaryCrossEntropyOfLogistic<T>>(o, factor);
    }
    __builtin_unreachable();
}

}  // namespace chainrule::CHAINRULE_ISA
