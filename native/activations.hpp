// Activations f(z), the formulae of chainrule/activations.py, over rows of weighted inputs.
#pragma once

#include "functions.hpp"

namespace chainrule::CHAINRULE_ISA {

// f(z) of one activation; `a` is its parameter where it has one.
template <class T> using Value = Vec<T> (*)(Vec<T> z, T a);

template <class T> Vec<T> hyperbolic_tangent(Vec<T> z, T) { return tanh<T>(z); }
template <class T> Vec<T> logistic_value(Vec<T> z, T) { return logistic<T>(z); }
template <class T> Vec<T> relu(Vec<T> z, T) { return at_least<T>(z, T(0)); }
template <class T> Vec<T> leaky_relu(Vec<T> z, T a) { return z > 0 ? z : a * z; }
template <class T> Vec<T> elu(Vec<T> z, T a) { return z > 0 ? z : a * expm1<T>(at_most<T>(z, T(0))); }
template <class T> Vec<T> selu(Vec<T> z, T) {
    return T(1.0507009873554805) * elu<T>(z, T(1.6732632423543772));
}
template <class T> Vec<T> gelu(Vec<T> z, T) {
    return z * (T(0.5) * (T(1) + erf<T>(z * T(0.70710678118654752440))));
}
template <class T> Vec<T> gelu_tanh(Vec<T> z, T) {
    const Vec<T> u = T(0.79788456080286535588) * (z + T(0.044715) * (z * z * z));  // √(2/π) (z + 0.044715 z³)
    return T(0.5) * z * (T(1) + tanh<T>(u));
}
template <class T> Vec<T> silu(Vec<T> z, T) { return z * logistic<T>(z); }
template <class T> Vec<T> softplus_value(Vec<T> z, T) { return softplus<T>(z); }
template <class T> Vec<T> softsign(Vec<T> z, T) { return z / (T(1) + absolute<T>(z)); }
template <class T> Vec<T> sine(Vec<T> z, T) { return sin<T>(z); }
template <class T> Vec<T> exponential(Vec<T> z, T) { return exp<T>(z); }

template <class T, Value<T> f> void apply(T* rows, int64_t numbers, T a) {
    for (int64_t i = 0; i < numbers; i += lanes<T>) store(rows + i, f(load(rows + i), a));
}

// f_k = e^{z_k − m} / Σ_j e^{z_j − m}, m the largest z of the row; each row has `units` numbers, `stride` apart.
template <class T> void softmax(T* rows, int64_t count, int64_t units, int64_t stride) {
    const T infinity = T(__builtin_huge_val());
    const int64_t whole = units / lanes<T> * lanes<T>;
    const Integers<T> in_use = lane_numbers<T>() < decltype(lane_numbers<T>()[0] + 0)(units - whole);
    for (T* row = rows; row < rows + count * stride; row += stride) {
        if (whole < units) store(row + whole, in_use ? load(row + whole) : all<T>(-infinity));
        const int64_t end = whole < units ? whole + lanes<T> : whole;
        Vec<T> largest = load(row), total = {};
        for (int64_t k = lanes<T>; k < end; k += lanes<T>) {
            const Vec<T> z = load(row + k);
            largest = z > largest ? z : largest;
        }
        const T m = maximum<T>(largest);
        for (int64_t k = 0; k < end; k += lanes<T>) {
            const Vec<T> e = exp<T>(load(row + k) - m);
            total += e;
            store(row + k, e);
        }
        const T share = T(1) / sum<T>(total);
        for (int64_t k = 0; k < end; k += lanes<T>) store(row + k, load(row + k) * share);
    }
}

template <class T> void activate(int kind, T a, T* rows, int64_t count, int64_t units, int64_t stride) {
    const int64_t numbers = count * stride;
    switch (kind) {  // in the order of `activation_names` in kernels.hpp
        case 0: return;
        case 1: return apply<T, hyperbolic_tangent<T>>(rows, numbers, a);
        case 2: return apply<T, logistic_value<T>>(rows, numbers, a);
        case 3: return apply<T, relu<T>>(rows, numbers, a);
        case 4: return apply<T, leaky_relu<T>>(rows, numbers, a);
        case 5: return apply<T, elu<T>>(rows, numbers, a);
        case 6: return apply<T, selu<T>>(rows, numbers, a);
        case 7: return apply<T, gelu<T>>(rows, numbers, a);
        case 8: return apply<T, gelu_tanh<T>>(rows, numbers, a);
        case 9: return apply<T, silu<T>>(rows, numbers, a);
        case 10: return apply<T, softplus_value<T>>(rows, numbers, a);
        case 11: return apply<T, softsign<T>>(rows, numbers, a);
        case 12: return apply<T, sine<T>>(rows, numbers, a);
        case 13: return apply<T, exponential<T>>(rows, numbers, a);
        case 14: return softmax<T>(rows, count, units, stride);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
