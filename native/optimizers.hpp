// Optimisers: the formulae of chainrule/optimizers.py. θ, the gradient g and what is remembered are vectors in place.
#pragma once

#include "kernels.hpp"
#include "losses.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> struct SGD {
    static void update(Vec<T>& theta, Vec<T> g, Vec<T>&, Vec<T>&, const StepConstants<T>& s) { theta -= s.rate * g; }
};
template <class T> struct Momentum {
    static void update(Vec<T>& theta, Vec<T> g, Vec<T>& velocity, Vec<T>&, const StepConstants<T>& s) {
        using namespace sgd_constants;
        velocity = s.c[momentum] * velocity - s.rate * g;
        theta += s.c[nesterov] != 0 ? s.c[momentum] * velocity - s.rate * g : velocity;
    }
};
template <class T> Vec<T> square_root(Vec<T> x) {
    Vec<T> root;
    for (int i = 0; i < lanes<T>; i++)
        root[i] = sizeof(T) == 4 ? T(__builtin_sqrtf(float(x[i]))) : T(__builtin_sqrt(x[i]));
    return root;
}
template <class T> struct Adam {
    // θ ← θ − η m̂ / (√v̂ + ε) with m̂ = m / (1 − β₁ᵗ), v̂ = v / (1 − β₂ᵗ): multiplied through by √(1 − β₂ᵗ)
    static void update(Vec<T>& theta, Vec<T> g, Vec<T>& mean, Vec<T>& square, const StepConstants<T>& s) {
        using namespace adamw_constants;
        theta -= s.rate * s.c[weight_decay] * theta;
        mean = s.c[beta1] * mean + (T(1) - s.c[beta1]) * g;
        square = s.c[beta2] * square + (T(1) - s.c[beta2]) * (g * g);
        theta -= s.adam_rate * mean / (square_root<T>(square) + s.adam_epsilon);
    }
};
template <class T> struct RMSProp {
    static void update(Vec<T>& theta, Vec<T> g, Vec<T>& square, Vec<T>&, const StepConstants<T>& s) {
        using namespace rmsprop_constants;
        square = s.c[decay] * square + (T(1) - s.c[decay]) * (g * g);
        theta -= s.rate * g / (square_root<T>(square) + s.c[epsilon]);
    }
};
template <class T> struct Adagrad {
    static void update(Vec<T>& theta, Vec<T> g, Vec<T>& square, Vec<T>&, const StepConstants<T>& s) {
        using namespace adagrad_constants;
        square += g * g;
        theta -= s.rate * g / (square_root<T>(square) + s.c[epsilon]);
    }
};
template <class T> struct Rprop {
    static void update(Vec<T>& theta, Vec<T> g, Vec<T>& before, Vec<T>& size, const StepConstants<T>& s) {
        using namespace rprop_constants;
        const Vec<T> agreement = sign<T>(g) * sign<T>(before);
        size = size * (agreement > 0 ? all<T>(s.c[grow]) : (agreement < 0 ? all<T>(s.c[shrink]) : all<T>(T(1))));
        size = at_least<T>(at_most<T>(size, T(1e3)), T(1e-6));
        before = agreement < 0 ? Vec<T>{} : g;
        theta -= s.rate * size * sign<T>(before);
    }
};

// Returns a number that is 0, or NaN where anything in g, θ or what is remembered is not finite.
template <class T, class Optimizer>
T update_all(T* theta, const T* g, T* first, T* second, int64_t n, T scale, const StepConstants<T>& step) {
    const StepConstants<T> s = step;  // a copy that no store can change
    Vec<T> check = {};
    for (int64_t i = 0; i < n; i += lanes<T>) {
        Vec<T> t = load(theta + i), a = first ? load(first + i) : Vec<T>{}, b = second ? load(second + i) : Vec<T>{};
        const Vec<T> slope = load(g + i);
        Optimizer::update(t, slope * scale, a, b, s);
        check += slope * T(0) + t * T(0) + a * T(0) + b * T(0);  // each by itself: a sum of two could overflow
        store(theta + i, t);
        if (first) store(first + i, a);
        if (second) store(second + i, b);
    }
    return sum<T>(check);
}

template <class T>
T update(OptimizerName optimizer, T* theta, const T* g, T* first, T* second, int64_t n, T scale,
         const StepConstants<T>& s) {
    if (optimizer == OptimizerName::sgd && first)
        return update_all<T, Momentum<T>>(theta, g, first, second, n, scale, s);
    switch (optimizer) {
#define CHAINRULE_CASE(name, Formula, ...) \
    case OptimizerName::name: return update_all<T, Formula<T>>(theta, g, first, second, n, scale, s);
        CHAINRULE_OPTIMIZERS(CHAINRULE_CASE)
#undef CHAINRULE_CASE
    }
    __builtin_unreachable();
}

// g ← g + l1 sign w + l2 w; returns l1 Σ|w| + ½ l2 Σw²
template <class T> T penalise(T* g, const T* w, int64_t n, T l1, T l2) {
    const auto slope = [&](Vec<T> w) { return l1 * sign<T>(w) + l2 * w; };
    const auto value = [&](Vec<T> w) { return l1 * absolute<T>(w) + T(0.5) * l2 * (w * w); };
    Vec<T> total = {};
    int64_t i = 0;
    for (; i + lanes<T> <= n; i += lanes<T>) {
        total += value(load(w + i));
        store(g + i, load(g + i) + slope(load(w + i)));
    }
    T rest = 0;
    for (; i < n; i++) {
        rest += value(all<T>(w[i]))[0];
        g[i] += slope(all<T>(w[i]))[0];
    }
    return sum<T>(total) + rest;
}

}  // namespace chainrule::CHAINRULE_ISA
