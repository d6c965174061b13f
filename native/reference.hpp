// Slow, obvious versions of the kernels that go forward and back: scalar loops in double precision, one row after
// another. Read them before the fast versions; tests/native/reference.cpp compares the two. The engine itself does not use them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "settings.hpp"

namespace chainrule::reference {

using Numbers = std::vector<double>;

// C (rows × columns) = A (rows × inner) B (inner × columns), each row by row. Fast: matrix.hpp, panel_product.hpp.
inline void multiply(int64_t rows, int64_t columns, int64_t inner, const double* a, const double* b, double* c) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            double sum = 0;
            for (int64_t k = 0; k < inner; k++) sum += a[i * inner + k] * b[k * columns + j];
            c[i * columns + j] = sum;
        }
}

inline double logistic(double z) { return 1 / (1 + std::exp(-z)); }
inline double normal_distribution(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }
inline double normal_density(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * std::acos(-1.0)); }

// f(z); `a` is the parameter of the activation. Fast: activations.hpp, functions.hpp.
inline double activation(ActivationName name, double z, double a) {
    constexpr double scale = 1.0507009873554805, alpha = 1.6732632423543772;
    switch (name) {
        case ActivationName::identity: return z;
        case ActivationName::tanh: return std::tanh(z);
        case ActivationName::logistic: return logistic(z);
        case ActivationName::relu: return std::max(z, 0.0);
        case ActivationName::leaky_relu: return z > 0 ? z : a * z;
        case ActivationName::elu: return z > 0 ? z : a * std::expm1(z);
        case ActivationName::selu: return scale * (z > 0 ? z : alpha * std::expm1(z));
        case ActivationName::gelu: return z * normal_distribution(z);
        case ActivationName::gelu_tanh:
            return z * logistic(1.5957691216057307117 * z + 0.071354816272600248798 * z * z * z);
        case ActivationName::silu: return z * logistic(z);
        case ActivationName::softplus: return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z)));
        case ActivationName::softsign: return z / (1 + std::abs(z));
        case ActivationName::sin: return std::sin(z);
        case ActivationName::exponential: return std::exp(z);
        case ActivationName::softmax: break;  // takes all units of a row together
    }
    return std::nan("");
}

// f′(z)
inline double derivative(ActivationName name, double z, double a) {
    constexpr double scale = 1.0507009873554805, alpha = 1.6732632423543772;
    const double f = activation(name, z, a);
    switch (name) {
        case ActivationName::identity: return 1;
        case ActivationName::tanh: return 1 - f * f;
        case ActivationName::logistic: return f * (1 - f);
        case ActivationName::relu: return z > 0;
        case ActivationName::leaky_relu: return z > 0 ? 1 : a;
        case ActivationName::elu: return z > 0 ? 1 : a * std::exp(z);
        case ActivationName::selu: return scale * (z > 0 ? 1 : alpha * std::exp(z));
        case ActivationName::gelu: return normal_distribution(z) + z * normal_density(z);
        case ActivationName::gelu_tanh: {
            const double c = 1.5957691216057307117, d = 0.071354816272600248798, s = logistic(c * z + d * z * z * z);
            return s + z * s * (1 - s) * (c + 3 * d * z * z);
        }
        case ActivationName::silu: return logistic(z) + z * logistic(z) * (1 - logistic(z));
        case ActivationName::softplus: return logistic(z);
        case ActivationName::softsign: return 1 / ((1 + std::abs(z)) * (1 + std::abs(z)));
        case ActivationName::sin: return std::cos(z);
        case ActivationName::exponential: return f;
        case ActivationName::softmax: break;
    }
    return std::nan("");
}

// z becomes e^{z_k − m} / Σ_j e^{z_j − m}, m the largest z. Fast: softmax in activations.hpp.
inline void softmax(double* z, int64_t units) {
    const double largest = *std::max_element(z, z + units);
    double total = 0;
    for (int64_t k = 0; k < units; k++) total += z[k] = std::exp(z[k] - largest);
    for (int64_t k = 0; k < units; k++) z[k] /= total;
}

// ℒ(y, f) for one output, and its derivative ∂ℒ/∂f; `p` is the parameter of the loss. Fast: losses.hpp.
struct Loss {
    double value, derivative;
};
inline Loss loss(LossName name, double y, double f, double p) {
    const double e = f - y, sign = (e > 0) - (e < 0), y_log_y = y > 0 ? y * std::log(y) : 0;
    switch (name) {
        case LossName::squared_error: return {e * e, 2 * e};
        case LossName::half_squared_error: return {0.5 * e * e, e};
        case LossName::absolute_error: return {std::abs(e), sign};
        case LossName::huber:
            return std::abs(e) <= p ? Loss{0.5 * e * e, e} : Loss{p * (std::abs(e) - 0.5 * p), p * sign};
        case LossName::log_cosh: return {std::log(std::cosh(e)), std::tanh(e)};
        case LossName::quantile: return e < 0 ? Loss{-p * e, -p} : Loss{(1 - p) * e, e > 0 ? 1 - p : 0};
        case LossName::poisson: return {f - y + y_log_y - y * std::log(f), 1 - y / f};
        case LossName::cross_entropy: return {-y * std::log(f), -y / f};
        case LossName::binary_cross_entropy: return {-y * std::log(f) - (1 - y) * std::log(1 - f), e / (f * (1 - f))};
    }
    return {std::nan(""), std::nan("")};
}

// A row forward and back. Fast: pass.hpp, narrow.hpp.
class Row {
  public:
    // θ has W (inputs × units, row by row) and then b of each layer; so has the gradient.
    Row(const Description& description, const Settings& settings, const double* theta)
        : d_(description), s_(settings), theta_(theta), f(d_.widths.size()), z_(f.size()) {}

    // fᵢ = f(fᵢ₋₁Wᵢ + bᵢ)
    const Numbers& forward(const double* x) {
        const double* w = theta_;
        f[0].assign(x, x + d_.widths[0]);
        for (std::size_t i = 1; i < f.size(); i++) {
            const int64_t inputs = d_.widths[i - 1], units = d_.widths[i];
            z_[i].assign(std::size_t(units), 0.0);
            multiply(1, units, inputs, f[i - 1].data(), w, z_[i].data());
            w += inputs * units;
            for (int64_t j = 0; d_.biases[i - 1] && j < units; j++) z_[i][std::size_t(j)] += *w++;
            f[i] = z_[i];
            if (name(i) == ActivationName::softmax)
                softmax(f[i].data(), units);
            else
                for (double& number : f[i]) number = activation(name(i), number, d_.activations[i - 1].second);
        }
        return f.back();
    }

    // Adds share · ∂ℒ/∂θ to the gradient, and returns ℒ of the row: after `forward`.
    double back(const double* y, double share, Numbers& gradient) const {
        const auto [value, slope_of_loss] = output_loss(y);
        Numbers delta = through_activation(f.size() - 1, slope_of_loss);
        int64_t end = int64_t(gradient.size());
        for (std::size_t i = f.size() - 1; i > 0; i--) {
            const int64_t inputs = d_.widths[i - 1], units = d_.widths[i];
            if (d_.biases[i - 1]) end -= units;
            for (int64_t j = 0; d_.biases[i - 1] && j < units; j++)  // ∂ℒ/∂bᵢ = δᵢ
                gradient[std::size_t(end + j)] += share * delta[std::size_t(j)];
            end -= inputs * units;
            Numbers before(std::size_t(inputs), 0.0);
            for (int64_t k = 0; k < inputs; k++)
                for (int64_t j = 0; j < units; j++) {
                    const auto place = std::size_t(end + k * units + j);
                    gradient[place] += share * f[i - 1][std::size_t(k)] * delta[std::size_t(j)];  // ∂ℒ/∂Wᵢ = fᵢ₋₁ᵀδᵢ
                    before[std::size_t(k)] += delta[std::size_t(j)] * theta_[place];              // δᵢWᵢᵀ
                }
            if (i > 1) delta = through_activation(i - 1, before);
        }
        return value;
    }

  private:
    ActivationName name(std::size_t i) const { return named<ActivationName>(d_.activations[i - 1].first); }

    // ℒ of the row, and ∂ℒ/∂f_L.
    std::pair<double, Numbers> output_loss(const double* y) const {
        const Numbers& outputs = f.back();
        const double units = double(outputs.size());
        double mass = 0, value = 0;
        for (std::size_t j = 0; j < outputs.size(); j++) mass += y[j];
        Numbers slopes;
        for (std::size_t j = 0; j < outputs.size(); j++) {
            const double p = s_.loss_parameter;
            const double smooth = s_.loss == LossName::cross_entropy ? (1 - p) * y[j] + p * mass / units : y[j];
            const Loss of_output = loss(s_.loss, smooth, outputs[j], p);
            value += of_output.value / s_.divisor;
            slopes.push_back(of_output.derivative / s_.divisor);
        }
        return {value, slopes};
    }

    // δᵢ = ∂ℒ/∂zᵢ from g = ∂ℒ/∂fᵢ: g ⊙ f′(zᵢ), or fᵢ ⊙ (g − Σ g f) for softmax.
    Numbers through_activation(std::size_t i, const Numbers& g) const {
        Numbers delta(g.size());
        double together = 0;
        for (std::size_t j = 0; j < g.size(); j++) together += g[j] * f[i][j];
        for (std::size_t j = 0; j < g.size(); j++)
            delta[j] = name(i) == ActivationName::softmax
                           ? f[i][j] * (g[j] - together)
                           : g[j] * derivative(name(i), z_[i][j], d_.activations[i - 1].second);
        return delta;
    }

    const Description& d_;
    const Settings& s_;
    const double* theta_;

  public:
    std::vector<Numbers> f;  // f₀ = x … f_L

  private:
    std::vector<Numbers> z_;
};

}  // namespace chainrule::reference
