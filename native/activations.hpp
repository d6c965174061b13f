// Activations: the formulae of chainrule/activations.py, over rows of weighted inputs.
#pragma once

#include "functions.hpp"

namespace chainrule::CHAINRULE_ISA {

// Each activation has f(z) and its slope f′(z), which may use f; `a` is its parameter where it has one.
template <class T> struct Identity {
    static Vec<T> value(Vec<T> z, T) { return z; }
    static Vec<T> slope(Vec<T>, Vec<T>, T) { return all<T>(T(1)); }
};
template <class T> struct Tanh {
    static Vec<T> value(Vec<T> z, T) { return tanh<T>(z); }
    static Vec<T> slope(Vec<T>, Vec<T> f, T) { return T(1) - f * f; }
};
template <class T> struct Logistic {
    static Vec<T> value(Vec<T> z, T) { return logistic<T>(z); }
    static Vec<T> slope(Vec<T>, Vec<T> f, T) { return f * (T(1) - f); }
};
template <class T> struct ReLU {
    static Vec<T> value(Vec<T> z, T) { return at_least<T>(z, T(0)); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) { return z > 0 ? all<T>(T(1)) : Vec<T>{}; }
};
template <class T> struct LeakyReLU {
    static Vec<T> value(Vec<T> z, T a) { return z > 0 ? z : a * z; }
    static Vec<T> slope(Vec<T> z, Vec<T>, T a) { return z > 0 ? all<T>(T(1)) : all<T>(a); }
};
template <class T> struct ELU {
    static Vec<T> value(Vec<T> z, T a) { return z > 0 ? z : a * expm1<T>(at_most<T>(z, T(0))); }
    static Vec<T> slope(Vec<T> z, Vec<T> f, T a) { return z > 0 ? all<T>(T(1)) : f + a; }
};
template <class T> struct SELU {
    static constexpr T scale = T(1.0507009873554805), alpha = T(1.6732632423543772);
    static Vec<T> value(Vec<T> z, T) { return scale * ELU<T>::value(z, alpha); }
    static Vec<T> slope(Vec<T> z, Vec<T> f, T) { return z > 0 ? all<T>(scale) : f + scale * alpha; }
};
template <class T> struct GELU {  // Φ(z) = ½ (1 + erf(z/√2)), φ(z) = e^{−z²/2}/√(2π)
    static Vec<T> distribution(Vec<T> z) { return T(0.5) * (T(1) + erf<T>(z * T(0.70710678118654752440))); }
    static Vec<T> value(Vec<T> z, T) { return z * distribution(z); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) {
        return distribution(z) + z * exp<T>(T(-0.5) * (z * z)) * T(0.39894228040143267794);
    }
};
template <class T> struct GELUTanh {  // u = √(2/π) (z + 0.044715 z³)
    static constexpr T c = T(0.79788456080286535588);
    static Vec<T> bend(Vec<T> z) { return tanh<T>(c * (z + T(0.044715) * (z * z * z))); }
    static Vec<T> value(Vec<T> z, T) { return T(0.5) * z * (T(1) + bend(z)); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) {
        const Vec<T> b = bend(z);
        return T(0.5) * (T(1) + b) + T(0.5) * z * (T(1) - b * b) * c * (T(1) + T(3 * 0.044715) * (z * z));
    }
};
template <class T> struct SiLU {
    static Vec<T> value(Vec<T> z, T) { return z * logistic<T>(z); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) {
        const Vec<T> s = logistic<T>(z);
        return s * (T(1) + z * (T(1) - s));
    }
};
template <class T> struct Softplus {
    static Vec<T> value(Vec<T> z, T) { return softplus<T>(z); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) { return logistic<T>(z); }
};
template <class T> struct Softsign {
    static Vec<T> value(Vec<T> z, T) { return z / (T(1) + absolute<T>(z)); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) {
        const Vec<T> d = T(1) + absolute<T>(z);
        return T(1) / (d * d);
    }
};
template <class T> struct Sine {
    static Vec<T> value(Vec<T> z, T) { return sin<T>(z); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) { return cos<T>(z); }
};
template <class T> struct Exponential {
    static Vec<T> value(Vec<T> z, T) { return exp<T>(z); }
    static Vec<T> slope(Vec<T>, Vec<T> f, T) { return f; }
};

// f(z) for one number, where others wait for it.
template <class T, class Activation> T value_of_one(T z, T a) {
    if constexpr (sizeof(T) == 4 && __is_same(Activation, Tanh<T>))
        if (__builtin_fabsf(z) < tanh_is_one) return within_one(tanh_of_middle(z));
    return Activation::value(all<T>(z), a)[0];
}

// f(z) in the place of z, and f′(z) in `slopes` where that is asked for.
template <class T, class Activation> void apply(T* rows, T* slopes, int64_t numbers, T a) {
    if (!slopes) {
        for (int64_t i = 0; i < numbers; i += lanes<T>) store(rows + i, Activation::value(load(rows + i), a));
        return;
    }
    for (int64_t i = 0; i < numbers; i += lanes<T>) {
        const Vec<T> z = load(rows + i), f = Activation::value(z, a);
        store(rows + i, f);
        store(slopes + i, Activation::slope(z, f, a));
    }
}

// f_k = e^{z_k − m} / Σ_j e^{z_j − m}, m the largest z of the row: `units` rows of `width` numbers, one lane for a row
// of the batch.
template <class T> void softmax(T* f, int64_t units, int64_t width) {
    for (T* begin = f; begin < f + width; begin += lanes<T>) {
        T* const end = begin + units * width;
        Vec<T> largest = load(begin), total = {};
        for (T* at = begin + width; at < end; at += width) {
            const Vec<T> z = load(at);
            largest = z > largest ? z : largest;
        }
        for (T* at = begin; at < end; at += width) {
            const Vec<T> e = exp<T>(load(at) - largest);
            total += e;
            store(at, e);
        }
        const Vec<T> share = T(1) / total;
        for (T* at = begin; at < end; at += width) store(at, load(at) * share);
    }
}

// Calls use<Activation>() for one of them. Softmax is not among them, as it takes all units of a row together.
template <class T, class Use> void with_activation(int kind, Use use) {
    switch (kind) {  // in the order of `activation_names` in kernels.hpp
        case 0: return use.template operator()<Identity<T>>();
        case 1: return use.template operator()<Tanh<T>>();
        case 2: return use.template operator()<Logistic<T>>();
        case 3: return use.template operator()<ReLU<T>>();
        case 4: return use.template operator()<LeakyReLU<T>>();
        case 5: return use.template operator()<ELU<T>>();
        case 6: return use.template operator()<SELU<T>>();
        case 7: return use.template operator()<GELU<T>>();
        case 8: return use.template operator()<GELUTanh<T>>();
        case 9: return use.template operator()<SiLU<T>>();
        case 10: return use.template operator()<Softplus<T>>();
        case 11: return use.template operator()<Softsign<T>>();
        case 12: return use.template operator()<Sine<T>>();
        case 13: return use.template operator()<Exponential<T>>();
    }
}

// `numbers` weighted inputs become activations.
template <class T> void activate(int kind, T a, T* f, T* slopes, int64_t numbers) {
    with_activation<T>(kind, [&]<class Activation>() { apply<T, Activation>(f, slopes, numbers, a); });
}

}  // namespace chainrule::CHAINRULE_ISA
