// Steps of gradient descent on a chain, one unit in each layer and one row in each step: what takes time is that every
// tanh waits for the one before, so nothing else may stand in the way.
#pragma once

#include "kernels.hpp"
#include "losses.hpp"

namespace chainrule::CHAINRULE_ISA {

// zᵢ = fᵢ₋₁wᵢ + bᵢ; δᵢ₋₁ = δᵢ wᵢ f′(zᵢ₋₁); wᵢ ← wᵢ − η δᵢ fᵢ₋₁. All lanes of a vector hold the same number.
template <class T, class Activation> bool chain_step(const Chain<T>& c, int64_t step, T& loss) {
    const int64_t row = c.order[step];
    T* const slopes = c.room + c.depth * lanes<T>;
    Vec<T> f = all<T>(c.x[row]), z = f;
    const auto theta_of = [&](int64_t i) { return c.theta + i * (c.bias ? 2 : 1); };  // w, and b after it
    for (int64_t i = 0; i < c.depth; i++) {
        store(c.room + i * lanes<T>, f);
        z = f * all<T>(theta_of(i)[0]);
        if (c.bias) z += all<T>(theta_of(i)[1]);
        f = Activation::value(z, c.parameter);
        store(slopes + i * lanes<T>, Activation::slope(z, f, c.parameter));
    }
    const Vec<T> y = all<T>(c.y[row]);
    const Outputs<T> o = {reinterpret_cast<const T*>(&y), reinterpret_cast<const T*>(&z), reinterpret_cast<const T*>(&f),
                          slopes + (c.depth - 1) * lanes<T>, 1, lanes<T>, c.loss_parameter};
    const T share = c.weights[row] > 0 ? T(1) : T(0);
    loss = loss_of_rows<T>(c.loss, c.activation, o, all<T>(share))[0] * share;
    T delta = o.slopes[0], check = loss * T(0);  // NaN where a number is not finite
    const T rate = T(c.rates[step]);
    for (int64_t i = c.depth - 1; i >= 0; i--) {
        T* const theta = theta_of(i);
        const T w = theta[0], gradient = delta * c.room[i * lanes<T>];
        theta[0] = w - rate * gradient;
        check += theta[0] * T(0);
        if (c.bias) check += (theta[1] -= rate * delta) * T(0);
        if (i) delta = delta * w * slopes[(i - 1) * lanes<T>];
    }
    return check == 0;
}

// As many steps as are well, up to c.steps; adds the losses, each times its row's weight.
template <class T> int64_t chain(const Chain<T>& c, double& total) {
    int64_t step = 0;
    with_activation<T>(c.activation, [&]<class Activation>() {
        for (T loss; step < c.steps; step++) {
            if (!chain_step<T, Activation>(c, step, loss)) return;
            total += double(loss) * double(c.weights[c.order[step]]);
        }
    });
    return step;
}

}  // namespace chainrule::CHAINRULE_ISA
