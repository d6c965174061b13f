// Activations: the formulae of chainrule/activations.py, over rows of weighted inputs.
#pragma once

#include "functions.hpp"
#include "names.hpp"

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
template <class T> struct GELU {  // z Φ(z), with the normal distribution Φ and its density φ(z) = e^{−z²/2}/√(2π)
    static Vec<T> within_reach(Vec<T> z) { return at_most<T>(absolute<T>(z), Format<T>::normal_reach); }
    static Vec<T> distribution_near_zero(Vec<T> z) { return T(0.5) + z * normal_near_zero(z * z); }
    static Vec<T> value(Vec<T> z, T) {
        const Vec<T> a = within_reach(z), tail = NormalTail<T>(a).times(a);  // a Φ(−a)
        return absolute<T>(z) < T(1) ? z * distribution_near_zero(z) : z > 0 ? z - tail : -tail;
    }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) {  // Φ(z) + z φ(z)
        constexpr T c = T(0.39894228040143267794);
        const Vec<T> a = within_reach(z);
        const NormalTail<T> tail(a);
        const Vec<T> a_phi = c * a * tail.power.value(), of_minus_a = tail.times(all<T>(T(1))) - a_phi;
        return absolute<T>(z) < T(1) ? distribution_near_zero(z) + (z < 0 ? -a_phi : a_phi)
               : z > 0               ? T(1) - of_minus_a
                                     : of_minus_a;
    }
};
// z σ(w) for a w = w(z) with the sign of z, from e^{−|w|}: z / (1 + e^{−|w|}), or z e^{−|w|} / (1 + e^{−|w|}) below 0
template <class T> struct GatedByLogistic {
    Vec<T> z;
    PowerOfE<T> power;
    Vec<T> value() const {
        return (z < 0 ? power.times(at_least<T>(z, Format<T>::exp_low)) : z) / (T(1) + power.value());
    }
    Vec<T> slope(Vec<T> of_w) const {  // σ(w) (1 + z w′ σ(−w))
        const Vec<T> e = power.value(), small = e / (T(1) + e), large = T(1) / (T(1) + e);
        return z < 0 ? small * (T(1) + z * of_w * large) : large * (T(1) + z * of_w * small);
    }
};
template <class T> struct GELUTanh {  // ½ z (1 + tanh u) = z σ(2u), u = √(2/π) (z + 0.044715 z³)
    using F = Format<T>;
    static constexpr double c = 1.5957691216057307117, d = 0.071354816272600248798;  // 2u = c z + d z³
    static constexpr T reach = sizeof(T) == 4 ? T(11) : T(22);                       // from where on e^{−2|u|} z is 0
    // e^{−2u} for 0 ≤ a ≤ reach. The digits of 2u that its rounding would lose are digits of the power: so each product
    // is made of exact ones of leading digits and a small rest.
    static PowerOfE<T> power(Vec<T> a) {
        const Vec<T> high = leading<T>(a), square = high * high, square_rest = (a - high) * (a + high);
        const Vec<T> square_high = leading<T>(square), of_high = F::gelu_d[0] * square_high;
        const Vec<T> factor = of_high + F::gelu_c[0], back = factor - of_high;  // c + d a²
        const Vec<T> factor_rest = (of_high - (factor - back)) + (F::gelu_c[0] - back) + F::gelu_c[1] +
                                   (F::gelu_d[0] * (square - square_high) + F::gelu_d[1] * square + T(d) * square_rest);
        const Vec<T> factor_high = leading<T>(factor), rest = (factor - factor_high) + factor_rest;
        return power_of_e<T>(-(high * factor_high), -(high * rest + (a - high) * (factor + factor_rest)));
    }
    static GatedByLogistic<T> gated(Vec<T> z) { return {z, power(at_most<T>(absolute<T>(z), reach))}; }
    static Vec<T> value(Vec<T> z, T) { return gated(z).value(); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) {
        const Vec<T> near = at_least<T>(at_most<T>(z, reach), -reach);
        return gated(near).slope(T(c) + T(3 * d) * (near * near));
    }
};
template <class T> struct SiLU {
    static constexpr T reach = T(1000);  // from where on e^{−|z|} is 0 in both formats
    static GatedByLogistic<T> gated(Vec<T> z) { return {z, power_of_e<T>(-absolute<T>(z))}; }
    static Vec<T> value(Vec<T> z, T) { return gated(z).value(); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) {
        return gated(at_least<T>(at_most<T>(z, reach), -reach)).slope(all<T>(T(1)));
    }
};
template <class T> struct Softplus {
    static Vec<T> value(Vec<T> z, T) { return softplus<T>(z); }
    static Vec<T> slope(Vec<T> z, Vec<T>, T) { return logistic<T>(z); }
};
template <class T> struct Softsign {
    // z / (1 + z) = 1 − 1 / (1 + z) is monotone, as the rounding of 1 + z in the quotient would not be; z − z² / (1 +
    // z) is so for small z, and has all digits there.
    static Vec<T> value(Vec<T> z, T) {
        const Vec<T> size = absolute<T>(z), rest = T(1) / (T(1) + size);
        return with_sign_of<T>(size < T(0.4) ? size - size * (size * rest) : T(1) - rest, z);
    }
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
        if (__builtin_fabsf(z) < tanh_of_one_reach) return tanh_of_one(z);
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
template <class T, class Use> void with_activation(ActivationName name, Use use) {
    switch (name) {
#define CHAINRULE_CASE(name, Formula) \
    case ActivationName::name: return use.template operator()<Formula<T>>();
        CHAINRULE_ACTIVATIONS_OF_UNITS(CHAINRULE_CASE)
#undef CHAINRULE_CASE
        case ActivationName::softmax: return;
    }
}

// `numbers` weighted inputs become activations.
template <class T> void activate(ActivationName name, T a, T* f, T* slopes, int64_t numbers) {
    with_activation<T>(name, [&]<class Activation>() { apply<T, Activation>(f, slopes, numbers, a); });
}

}  // namespace chainrule::CHAINRULE_ISA
