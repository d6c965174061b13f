// Steps of gradient descent on a chain, one unit in each layer and one row in each step: what takes time is that every
// tanh waits for the one before, so nothing else may stand in the way.
#pragma once

#include "kernels.hpp"
#include "losses.hpp"

namespace chainrule::CHAINRULE_ISA {

// zᵢ = fᵢ₋₁wᵢ + bᵢ; δᵢ₋₁ = δᵢ wᵢ f′(zᵢ₋₁); wᵢ ← wᵢ − η δᵢ fᵢ₋₁.
template <class T, class Activation> bool chain_step(const Chain<T>& c, int64_t step, T& loss) {
    const int64_t row = c.order[step], stride = c.bias ? 2 : 1;  // in θ, each w with its b after it
    T *const inputs = c.scratch, *const slopes = c.scratch + c.depth;
    T f = c.x[row], z = f;
    for (int64_t i = 0; i < c.depth; i++) {
        inputs[i] = f;
        z = f * c.theta[i * stride];
        if (c.bias) z += c.theta[i * stride + 1];
        f = value_of_one<T, Activation>(z, c.parameter);
        slopes[i] = Activation::slope(all<T>(z), all<T>(f), c.parameter)[0];
    }
    const T y = c.y[row], share = !c.weights || c.weights[row] > 0 ? T(1) : T(0);
    T delta;
    if (c.loss == LossName::squared_error) {
        loss = (y - f) * (y - f) * share;
        delta = T(2) * (f - y) * share * slopes[c.depth - 1];
    } else {
        const Vec<T> ys = all<T>(y), zs = all<T>(z), fs = all<T>(f);
        Vec<T> deltas = all<T>(slopes[c.depth - 1]);
        const auto numbers = [](const Vec<T>& v) { return reinterpret_cast<const T*>(&v); };
        const Outputs<T> o = {numbers(ys), numbers(zs), numbers(fs),     reinterpret_cast<T*>(&deltas),
                              1,           lanes<T>,    c.loss_parameter};
        loss = loss_of_rows<T>(c.loss, c.activation, o, all<T>(share))[0] * share;
        delta = deltas[0];
    }
    T check = loss * T(0);  // NaN where a number is not finite
    const T rate = T(c.rates[step]);
    for (int64_t i = c.depth - 1; i >= 0; i--) {
        T* const theta = c.theta + i * stride;
        const T before = i ? theta[0] * slopes[i - 1] : T(0);
        theta[0] -= rate * (delta * inputs[i]);
        check += theta[0] * T(0);
        if (c.bias) check += (theta[1] -= rate * delta) * T(0);
        delta *= before;
    }
    return check == 0;
}

// As many steps as are well, up to c.steps; adds the losses, each times its row's weight.
template <class T> int64_t chain(const Chain<T>& c, double& total) {
    int64_t step = 0;
    with_activation<T>(c.activation, [&]<class Activation>() {
        for (T loss; step < c.steps; step++) {
            if (!chain_step<T, Activation>(c, step, loss)) return;
            total += double(loss) * (c.weights ? double(c.weights[c.order[step]]) : 1.0);
        }
    });
    return step;
}

}  // namespace chainrule::CHAINRULE_ISA
