// A training run: step after step and epoch after epoch.
#pragma once

#include <chrono>
#include <optional>

#include "data.hpp"
#include "passes.hpp"
#include "plan.hpp"
#include "step.hpp"
#include "stopping.hpp"

namespace chainrule {

enum class Outcome { done, time_is_up, diverged, no_longer_better };

template <class T> class Run {
    const Settings settings_;
    const Kernels<T>& kernels_;
    const Data<T> data_, validation_;
    const std::vector<int64_t> validation_rows_;

  public:
    // Uses at most `threads` threads, and fewer when a step is too small to profit from more.
    Run(const Description& description, const Settings& settings, const Kernels<T>& kernels, Data<T> training,
        Data<T> validation, int threads)
        : settings_(settings), kernels_(kernels), data_(training), validation_(validation),
          validation_rows_(validation.row_numbers()), net(description, kernels.lanes),
          plan(Plan::of(net, settings, kernels, training.rows, validation.rows, threads)),
          // Not if all rows make one batch, whose order does not matter without dropout.
          order(data_, settings.shuffle && (settings.batch_size < training.rows || settings.has_dropout()),
                settings.seed),
          stepper(net, settings_, plan, kernels), stopping(settings),
          steps_in_epoch((training.rows + settings.batch_size - 1) / settings.batch_size),
          passes_(net, settings_, plan, kernels), all_weights_(training.weight_of(order.data(), training.rows)),
          validation_weights_(validation.weight_of(validation_rows_.data(), validation.rows)),
          chain_scratch_(zeros<T>(plan.path == Path::chain ? 2 * net.layers.size() : 0)) {}

    Run(const Run&) = delete;  // its parts refer to each other

    // Advances until the epochs that `rates` covers are done (steps_in_epoch rates for each, the first for
    // `first_epoch`), `steps` steps are made, the time is up, or early stopping or divergence ends it. An interruption
    // counts as time that is up; the step in which it happens is not made.
    Outcome advance(const double* rates, int64_t first_epoch, int64_t epochs, int64_t steps, double seconds,
                    Interruption& interruption) {
        const auto start = std::chrono::steady_clock::now();
        const auto time_is_up = [&] {
            return interruption.look() ||
                   std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > seconds;
        };
        Pool pool(plan.threads);
        losses.reserve(losses.size() + std::size_t(epochs));
        validation_losses.reserve(validation_losses.size() + std::size_t(epochs));
        while (epoch < first_epoch + epochs) {
            const double* const epoch_rates = rates + (epoch - first_epoch) * steps_in_epoch;
            if (const auto outcome = finish_batches(pool, epoch_rates, steps, interruption, time_is_up))
                return *outcome;
            if (validation_.rows) {
                const auto loss = validation_loss(pool, interruption);
                if (!loss) return Outcome::time_is_up;
                validation_losses.push_back(*loss);
            }
            losses.push_back(total_ / loss_weight(data_.rows, all_weights_));
            batch = 0;
            epoch++;
            const double compared = validation_.rows ? validation_losses.back() : losses.back();
            if (stopping.ends(epoch, losses.back(), compared, net)) return Outcome::no_longer_better;
            if (epoch < first_epoch + epochs && time_is_up()) return Outcome::time_is_up;
        }
        return Outcome::done;
    }

    // The loss of all rows at θ, and its gradient with penalty in gradient(), if no step was made. Without dropout.
    // None after an interruption.
    std::optional<double> objective(Interruption& interruption) {
        Pool pool(plan.threads);
        const Rows<T> rows{data_, order.data(), data_.rows, data_.rows, all_weights_, uint64_t(epoch), uint64_t(batch)};
        const double loss = passes_(pool, rows, interruption, true);
        if (passes_.given_up) return std::nullopt;
        stepper.complete_gradient(pool, passes_.groups, all_weights_);
        return loss;
    }
    const T* gradient() const { return passes_.groups[0].gradient.get(); }

    // The loss of the validation data at θ; none after an interruption.
    std::optional<double> validation_loss(Interruption& interruption) {
        Pool pool(plan.threads);
        return validation_loss(pool, interruption);
    }

    int64_t rows() const { return data_.rows; }

    Network<T> net;
    const Plan plan;
    RowOrder<T> order;
    Stepper<T> stepper;
    Stopping<T> stopping;
    std::vector<double> losses, validation_losses;  // of the epochs done, for the caller to take
    int64_t epoch = 0, batch = 0;
    const int64_t steps_in_epoch;

  private:
    static constexpr int64_t chain_steps_at_once = 1024;  // between two looks at the clock

    // The batches of the epoch that are left; the outcome of the call if it ends before the epoch does.
    template <class TimeIsUp>
    std::optional<Outcome> finish_batches(Pool& pool, const double* rates, int64_t& steps, Interruption& interruption,
                                          TimeIsUp time_is_up) {
        const bool is_chain = plan.path == Path::chain;
        const int64_t between_looks = net.parameters * settings_.batch_size > 100'000 ? 1 : 16;  // a look takes 30 ns
        if (batch == 0) {
            order.begin_epoch(epoch);
            total_ = 0;
        }
        while (batch < steps_in_epoch) {
            if (steps == 0) return Outcome::time_is_up;
            const int64_t due = is_chain ? std::min({steps, steps_in_epoch - batch, chain_steps_at_once}) : 1;
            const int64_t completed =
                is_chain ? chain_steps(rates + batch, due) : step(pool, rates[batch], interruption);
            batch += completed;
            steps -= completed;
            if (passes_.given_up) return Outcome::time_is_up;
            if (completed < due) return Outcome::diverged;
            if ((is_chain || batch % between_looks == 0) && batch < steps_in_epoch && time_is_up())
                return Outcome::time_is_up;
        }
        return std::nullopt;
    }

    // Makes one step; returns whether it was completed and all numbers are finite.
    bool step(Pool& pool, double rate, Interruption& interruption) {
        const int64_t begin = batch * settings_.batch_size, count = std::min(settings_.batch_size, data_.rows - begin);
        const int64_t* const numbers = order.data() + begin;
        const double weight = data_.weight_of(numbers, count);
        const Rows<T> rows{data_, numbers, count, data_.rows - begin, weight, uint64_t(epoch), uint64_t(batch)};
        const double loss = passes_(pool, rows, interruption, true);
        if (passes_.given_up) return false;
        const bool all_finite = stepper.update(pool, passes_.groups, weight, rate) && loss * 0 == 0;
        total_ += (loss + stepper.penalty_in_loss()) * loss_weight(count, weight);
        return all_finite;
    }

    // Returns how many steps were made before a number was not finite.
    int64_t chain_steps(const double* rates, int64_t steps) {
        const Layer<T>& first = net.layers[0];
        const int64_t completed =
            kernels_.chain({int64_t(net.layers.size()), first.rows > 1, first.activation, first.parameter,
                            settings_.loss, T(settings_.loss_parameter), net.theta.get(), data_.x, data_.y,
                            data_.weights, order.data() + batch, rates, steps, chain_scratch_.get()},
                           total_);
        stepper.steps_made += completed;
        return completed;
    }

    std::optional<double> validation_loss(Pool& pool, Interruption& interruption) {
        const Rows<T> rows{validation_, validation_rows_.data(), validation_.rows, validation_.rows,
                           validation_weights_};
        const double loss = passes_(pool, rows, interruption, false);
        if (passes_.given_up) return std::nullopt;
        return loss;
    }

    // The weight of these rows' mean loss in the loss of an epoch.
    double loss_weight(int64_t rows, double weight) const {
        return settings_.loss_weighting == LossWeighting::rows ? double(rows) : weight;
    }

    Passes<T> passes_;
    const double all_weights_, validation_weights_;
    Buffer<T> chain_scratch_;
    double total_ = 0;  // the loss of the epoch so far
};

}  // namespace chainrule
