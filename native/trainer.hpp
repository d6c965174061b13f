// Training runs as Python moves them.
#pragma once

#include <exception>
#include <limits>
#include <optional>

#include "arrays.hpp"
#include "instruction_sets.hpp"
#include "run.hpp"

namespace chainrule {

using RowNumbers = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// x, y, weights and the numbers of rows as Python has them; kept alive here. Python has checked the numbers.
template <class T> struct Table {
    Matrix<T> x, y;
    Vector<T> weights;
    std::optional<RowNumbers> numbers;
    Data<T> data() const {
        if (y.shape(0) != x.shape(0) || weights.shape(0) != x.shape(0))
            throw std::invalid_argument("x, y and weights have unequal numbers of rows");
        const bool ones =
            std::all_of(weights.data(), weights.data() + weights.shape(0), [](T weight) { return weight == 1; });
        return {x.data(), y.data(), ones ? nullptr : weights.data(), numbers ? numbers->data() : nullptr,
                int64_t(numbers ? numbers->shape(0) : x.shape(0))};
    }
};

// What epochs that come need: the learning rate of every step, and which epoch the first is.
struct Ahead {
    Vector<double> rates;
    int64_t first_epoch;
};

// Asks a function of Python's whether long work is to end. An error of it, such as a second Ctrl-C, ends the work too
// and is thrown by `check`, where no other thread is at work any more.
class Asking {
  public:
    explicit Asking(const nb::callable& interrupted)
        : interruption([this, &interrupted] {
              const nb::gil_scoped_acquire python;
              try {
                  return nb::cast<bool>(interrupted());
              } catch (...) {
                  error_ = std::current_exception();
                  return true;
              }
          }) {}
    void check() const {
        if (error_) std::rethrow_exception(error_);
    }
    Interruption interruption;

  private:
    std::exception_ptr error_;
};

// A run as Python sees it, which moves while Python may do something else.
template <class T> class Trainer {
  public:
    Trainer(const Description& description, const Settings& settings, const Table<T>& training,
            const Table<T>& validation, int threads, const std::string& isa)
        : training_(training), validation_(validation),
          run_(description, settings, kernels_of<T>(isa), training_.data(), validation_.data(), threads) {
        for (const Table<T>* table : {&training_, &validation_})
            if (int64_t(table->x.shape(1)) != run_.net.layers.front().inputs ||
                int64_t(table->y.shape(1)) != run_.net.layers.back().units)
                throw std::invalid_argument("x and y do not fit the network");
    }

    void set(const Vector<T>& theta, std::vector<Vector<T>> memory, int64_t step, int64_t epoch) {
        fill(theta, run_.net.theta);
        for (std::size_t k = 0; k < run_.stepper.moments.size(); k++) fill(memory.at(k), run_.stepper.moments[k]);
        run_.stepper.steps_made = step;
        run_.epoch = epoch;
        run_.batch = 0;
    }
    void set_best(int64_t epoch, double loss) {  // its θ is the caller's
        run_.stopping.best_epoch = epoch;
        run_.stopping.best_loss = loss;
    }
    // The numbers of rows have been checked by Python.
    void set_shuffling(const Vector<uint32_t>& key, int64_t position, const Vector<int64_t>& order) {
        Shuffling& shuffling = run_.order.shuffling;
        if (key.shape(0) != shuffling.key.size() || int64_t(order.shape(0)) != run_.rows() || position < 0 ||
            position > 624)
            throw std::invalid_argument("the shuffling does not fit the data");
        std::copy_n(key.data(), key.shape(0), shuffling.key.begin());
        shuffling.position = position;
        shuffling.order.assign(order.data(), order.data() + order.shape(0));
    }
    // Copies key and order to the caller's arrays, and returns the position.
    int64_t get_shuffling(const Writable<uint32_t>& key, const Writable<int64_t>& order) const {
        const Shuffling& shuffling = run_.order.shuffling;
        if (key.shape(0) != shuffling.key.size() || order.shape(0) != shuffling.order.size())
            throw std::invalid_argument("the shuffling does not fit the data");
        std::copy(shuffling.key.begin(), shuffling.key.end(), key.data());
        std::copy(shuffling.order.begin(), shuffling.order.end(), order.data());
        return shuffling.position;
    }
    void set_plateau(int64_t waited, double lowest_loss) {
        run_.stopping.waited = waited;
        run_.stopping.lowest_loss = lowest_loss;
    }

    const char* advance(const Ahead& ahead, int64_t steps, double seconds, const nb::callable& interrupted) {
        Asking asking(interrupted);
        const nb::gil_scoped_release no_python;
        const char* outcome = advanced(ahead, steps, seconds, asking.interruption);
        asking.check();
        return outcome;
    }
    const char* advanced(const Ahead& ahead, int64_t steps, double seconds, Interruption& interruption) {
        const int64_t epochs = int64_t(ahead.rates.shape(0)) / run_.steps_in_epoch;
        run_.losses.clear();
        run_.validation_losses.clear();
        switch (run_.advance(ahead.rates.data(), ahead.first_epoch, epochs, steps, seconds, interruption)) {
            case Outcome::done: return "done";
            case Outcome::time_is_up: return "time is up";
            case Outcome::no_longer_better: return "no longer better";
            default: return "diverged";
        }
    }

    std::optional<std::pair<double, NumPy<T>>> objective(const Vector<T>& theta, const nb::callable& interrupted) {
        const std::optional<double> loss =
            loss_at(theta, interrupted, [&](Interruption& interruption) { return run_.objective(interruption); });
        if (!loss) return std::nullopt;
        Buffer<T> gradient = uninitialized<T>(std::size_t(run_.net.parameters));
        std::copy_n(run_.gradient(), run_.net.parameters, gradient.get());
        return std::pair(*loss, as_numpy<T>(std::move(gradient), {std::size_t(run_.net.parameters)}));
    }
    std::optional<double> validation_loss(const Vector<T>& theta, const nb::callable& interrupted) {
        return loss_at(theta, interrupted,
                       [&](Interruption& interruption) { return run_.validation_loss(interruption); });
    }

    // Copies θ and the optimiser's moments to the caller's arrays.
    void get(const Writable<T>& theta, std::vector<Writable<T>> memory) const {
        give(run_.net.theta, theta);
        for (std::size_t k = 0; k < run_.stepper.moments.size(); k++) give(run_.stepper.moments[k], memory.at(k));
    }
    // θ of the best epoch, which is the caller's from then on; None where it has been taken.
    std::optional<NumPy<T>> take_best() {
        if (!run_.stopping.best_theta) return std::nullopt;
        return as_numpy<T>(std::move(run_.stopping.best_theta), {std::size_t(run_.net.parameters)});
    }
    const Run<T>& run() const { return run_; }

  private:
    template <class Loss> std::optional<double> loss_at(const Vector<T>& theta, const nb::callable& interrupted,
                                                        Loss loss) {
        fill(theta, run_.net.theta);
        Asking asking(interrupted);
        const nb::gil_scoped_release no_python;
        const std::optional<double> result = loss(asking.interruption);
        asking.check();
        return result;
    }
    void check(std::size_t numbers) const {
        if (int64_t(numbers) != run_.net.parameters) throw std::invalid_argument("a vector does not fit the network");
    }
    void fill(const Vector<T>& from, Buffer<T>& to) const {
        check(from.shape(0));
        std::copy_n(from.data(), run_.net.parameters, to.get());
    }
    void give(const Buffer<T>& from, const Writable<T>& to) const {
        check(to.shape(0));
        std::copy_n(from.get(), run_.net.parameters, to.data());
    }
    const Table<T> training_, validation_;
    Run<T> run_;
};

// Advances each of some runs, as many at a time as there are threads, until the time is up; one that was not begun has
// no outcome.
template <class T>
std::vector<std::optional<std::string>> advance_many(std::vector<Trainer<T>*> trainers, std::vector<Ahead*> ahead,
                                                     double seconds, int threads, const nb::callable& interrupted) {
    std::vector<std::optional<std::string>> outcomes(trainers.size());
    if (ahead.size() != trainers.size()) throw std::invalid_argument("each run needs what is ahead of it");
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::exception_ptr> errors(trainers.size());  // none may leave a thread
    Asking asking(interrupted);
    const nb::gil_scoped_release no_python;
    Pool pool(int(std::clamp<std::size_t>(trainers.size(), 1, std::size_t(threads))));
    pool.each(int64_t(trainers.size()), [&](int64_t k, int) {
        const auto i = std::size_t(k);
        const double left = seconds - std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (left <= 0) return;
        try {
            outcomes[i] =
                trainers[i]->advanced(*ahead[i], std::numeric_limits<int64_t>::max(), left, asking.interruption);
        } catch (...) {
            errors[i] = std::current_exception();
        }
    });
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
    asking.check();
    return outcomes;
}

template <class T> void bind_trainer(nb::module_& m, const char* table, const char* trainer) {
    const auto of_run = [](auto get) { return [get](const Trainer<T>& trainer) { return get(trainer.run()); }; };
    nb::class_<Table<T>>(m, table).def(nb::init<Matrix<T>, Matrix<T>, Vector<T>, std::optional<RowNumbers>>(), "x"_a,
                                       "y"_a, "weights"_a, "numbers"_a.none() = nb::none());
    nb::class_<Trainer<T>>(m, trainer)
        .def(nb::init<const Description&, const Settings&, const Table<T>&, const Table<T>&, int, const std::string&>(),
             "description"_a, "settings"_a, "training"_a, "validation"_a, "threads"_a, "isa"_a)
        .def("set", &Trainer<T>::set, "theta"_a, "memory"_a, "step"_a, "epoch"_a)
        .def("set_best", &Trainer<T>::set_best, "epoch"_a, "loss"_a)
        .def("set_shuffling", &Trainer<T>::set_shuffling, "key"_a, "position"_a, "order"_a)
        .def("get_shuffling", &Trainer<T>::get_shuffling, "key"_a.noconvert(), "order"_a.noconvert())
        .def("set_plateau", &Trainer<T>::set_plateau, "waited"_a, "lowest_loss"_a)
        .def("advance", &Trainer<T>::advance, "ahead"_a, "steps"_a, "seconds"_a, "interrupted"_a)
        .def("objective", &Trainer<T>::objective, "theta"_a, "interrupted"_a)
        .def("validation_loss", &Trainer<T>::validation_loss, "theta"_a, "interrupted"_a)
        .def("get", &Trainer<T>::get, "theta"_a.noconvert(), "memory"_a.noconvert())
        .def("take_best", &Trainer<T>::take_best)
        .def_prop_ro("losses", of_run([](const Run<T>& run) { return run.losses; }))
        .def_prop_ro("validation_losses", of_run([](const Run<T>& run) { return run.validation_losses; }))
        .def_prop_ro("step", of_run([](const Run<T>& run) { return run.stepper.steps_made; }))
        .def_prop_ro("epoch", of_run([](const Run<T>& run) { return run.epoch; }))
        .def_prop_ro("batch", of_run([](const Run<T>& run) { return run.batch; }))
        .def_prop_ro("best_epoch", of_run([](const Run<T>& run) { return run.stopping.best_epoch; }))
        .def_prop_ro("best_loss", of_run([](const Run<T>& run) { return run.stopping.best_loss; }))
        .def_prop_ro("rows", of_run([](const Run<T>& run) { return run.rows(); }))
        .def_prop_ro("plan", of_run([](const Run<T>& run) { return run.plan; }));
    m.def("advance_many", &advance_many<T>, "trainers"_a, "ahead"_a, "seconds"_a, "threads"_a, "interrupted"_a);
}

}  // namespace chainrule
