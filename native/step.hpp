// What follows the gradients of the groups in a step: their sum, penalty, clipping, and the update of the parameters.
#pragma once

#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include "threads.hpp"
#include "workspace.hpp"

namespace chainrule {

template <class T> class Stepper {
  public:
    Stepper(Network<T>& net, const Settings& settings, const Plan& plan, const Kernels<T>& kernels)
        : net_(net), settings_(settings), plan_(plan), kernels_(kernels), has_penalty_(settings.has_penalty()) {
        for (int k = 0; k < settings.remembers; k++) moments.push_back(zeros<T>(std::size_t(net.padded)));
        squares_.resize(std::size_t((net.padded + plan.piece - 1) / plan.piece));
        penalties_.resize(squares_.size());
    }

    // Adds all groups' gradients and the penalty into the first group's gradient; `weight` is the sum of the rows' weights.
    void complete_gradient(Pool& pool, std::vector<Group<T>>& groups, double weight) {
        find_penalty_scale(weight);
        each_piece(pool, [&](int64_t from, int64_t numbers) { complete_gradient(groups, from, numbers); });
    }

    // Completes the gradient and moves θ; returns whether all numbers that this depends on are finite.
    bool update(Pool& pool, std::vector<Group<T>>& groups, double weight, double rate) {
        find_penalty_scale(weight);
        const StepConstants<T> constants = constants_of(rate);
        T* const gradient = groups[0].gradient.get();
        std::atomic<bool> all_finite = true;
        const auto update = [&](int64_t from, int64_t numbers, T scale) {
            const auto moment = [&](std::size_t k) { return k < moments.size() ? moments[k].get() + from : nullptr; };
            const T check = kernels_.update(*settings_.optimizer, net_.theta.get() + from, gradient + from, moment(0),
                                            moment(1), numbers, scale, constants);
            if (!(check == 0)) all_finite = false;
        };
        if (settings_.clip_norm == 0) {
            each_piece(pool, [&](int64_t from, int64_t numbers) {
                complete_gradient(groups, from, numbers);
                update(from, numbers, T(1));
            });
        } else {
            each_piece(pool, [&](int64_t from, int64_t numbers) { complete_gradient(groups, from, numbers); });
            const T scale = clipping(pool, gradient);
            each_piece(pool, [&](int64_t from, int64_t numbers) { update(from, numbers, scale); });
        }
        steps_made++;
        return all_finite;
    }

    // The penalty before the last update, or 0 if the loss does not include it.
    double penalty_in_loss() const {
        return settings_.penalty_in_loss ? std::accumulate(penalties_.begin(), penalties_.end(), 0.0) : 0.0;
    }

    std::vector<Buffer<T>> moments;  // that the optimiser keeps
    int64_t steps_made = 0;

  private:
    template <class Work> void each_piece(Pool& pool, Work work) {
        const int64_t pieces = (net_.padded + plan_.piece - 1) / plan_.piece;
        pool.each(
            pieces,
            [&](int64_t k, int) { work(k * plan_.piece, std::min(plan_.piece, net_.padded - k * plan_.piece)); },
            plan_.piece_is_small);
    }

    void find_penalty_scale(double weight) {
        penalty_scale_ = !settings_.penalty_by_weight ? 1 : weight > 0 ? 1 / weight : 0;
    }

    void complete_gradient(std::vector<Group<T>>& groups, int64_t from, int64_t numbers) {
        T* const gradient = groups[0].gradient.get();
        for (std::size_t k = 1; k < groups.size(); k++)
            kernels_.add(gradient + from, groups[k].gradient.get() + from, numbers);
        if (!has_penalty_) return;
        double& penalty = penalties_[std::size_t(from / plan_.piece)];
        penalty = 0;
        for (std::size_t i = 0; i < net_.layers.size(); i++) {  // of weights, not of biases
            const int64_t begin = std::max(from, net_.begins[i]);
            const int64_t end = std::min(from + numbers, net_.begins[i] + net_.layers[i].inputs * net_.layers[i].units);
            if (begin < end)
                penalty +=
                    double(kernels_.penalise(gradient + begin, net_.theta.get() + begin, end - begin,
                                             T(settings_.l1 * penalty_scale_), T(settings_.l2 * penalty_scale_)));
        }
    }

    // The factor that makes the gradient at most clip_norm long.
    T clipping(Pool& pool, const T* gradient) {
        // Piece by piece, so that the order of the sum is the same for any number of threads.
        const auto reduce = [&](auto combine) {
            each_piece(pool, [&](int64_t from, int64_t numbers) {
                double result = 0;
                for (int64_t k = from; k < from + numbers; k++) result = combine(result, double(gradient[k]));
                squares_[std::size_t(from / plan_.piece)] = result;
            });
        };
        reduce([](double largest, double g) { return std::max(largest, std::abs(g)); });
        const double largest = *std::max_element(squares_.begin(), squares_.end());
        if (largest == 0) return T(1);
        reduce([&](double sum, double g) { return sum + g / largest * (g / largest); });
        const double length = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0)) * largest;
        return length <= settings_.clip_norm ? T(1) : T(settings_.clip_norm / length);
    }

    StepConstants<T> constants_of(double rate) {
        using namespace adam_constants;
        StepConstants<T> s{};
        s.rate = T(rate);
        std::copy(settings_.constants.begin(), settings_.constants.end(), s.c);
        if (settings_.optimizer == OptimizerName::adam || settings_.optimizer == OptimizerName::adamw) {
            find_powers(s.c[beta1], s.c[beta2]);
            const double root = std::sqrt(1 - powers_[1]);
            s.adam_rate = T(rate * root / (1 - powers_[0]));
            s.adam_epsilon = s.c[epsilon_hat] != 0 ? s.c[epsilon] : T(double(s.c[epsilon]) * root);
        }
        return s;
    }

    static double power(double base, int64_t exponent) {  // by products, which round alike on every machine
        double result = 1;
        for (; exponent; exponent >>= 1, base *= base)
            if (exponent & 1) result *= base;
        return result;
    }
    // β₁ᵗ and β₂ᵗ of step t = steps_made + 1, from the step before, and every 256 steps from the exponent: the same for
    // a run that continues from a checkpoint.
    void find_powers(T beta1, T beta2) {
        const int64_t begin = steps_made / 256 * 256;
        for (int k = 0; k < 2; k++) {
            const auto beta = double(k ? beta2 : beta1);
            int64_t at = powers_of_;
            if (at < begin || at > steps_made) powers_[k] = power(beta, (at = begin) + 1);
            for (; at < steps_made; at++) powers_[k] *= beta;
        }
        powers_of_ = steps_made;
    }

    Network<T>& net_;
    const Settings& settings_;
    const Plan& plan_;
    const Kernels<T>& kernels_;
    const bool has_penalty_;
    std::vector<double> squares_, penalties_;  // of pieces
    double penalty_scale_ = 1;
    int64_t powers_of_ = -1;  // the value of steps_made that they are for
    double powers_[2] = {};
};

}  // namespace chainrule
