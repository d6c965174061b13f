// The Python module chainrule.engines._native: prediction and training by the kernels of one instruction set.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <exception>
#include <iterator>
#include <limits>
#include <optional>

#include "run.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace chainrule {

#define CHAINRULE_DECLARE(isa)            \
    namespace isa {                       \
    const Kernels<float>& of_float();     \
    const Kernels<double>& of_double();   \
    }
CHAINRULE_DECLARE(baseline)
#ifdef CHAINRULE_X86
CHAINRULE_DECLARE(avx2)
CHAINRULE_DECLARE(avx512)
#endif
#ifdef CHAINRULE_WIDE
CHAINRULE_DECLARE(wide)
#endif

// The best first.
const InstructionSet instruction_sets[] = {
#ifdef CHAINRULE_X86
    {"avx512",
     [] {
         return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("fma");
     },
     avx512::of_float, avx512::of_double},
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, avx2::of_float,
     avx2::of_double},
#endif
    {"baseline", [] { return true; }, baseline::of_float, baseline::of_double},
#ifdef CHAINRULE_WIDE
    {"wide", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, wide::of_float, wide::of_double},
#endif
};

const InstructionSet& instruction_set(const std::string& name) {
    for (const InstructionSet& one : instruction_sets)
        if (name == one.name && one.runs_here()) return one;
    throw std::invalid_argument("this machine has no instruction set " + name);
}

template <class T> const Kernels<T>& kernels_of(const std::string& isa) {
    if constexpr (sizeof(T) == 4) return instruction_set(isa).of_float();
    else return instruction_set(isa).of_double();
}

template <class T> using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T> using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T> using Writable = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T> using NumPy = nb::ndarray<nb::numpy, T>;

template <class T> NumPy<T> as_numpy(Block<T> numbers, std::initializer_list<std::size_t> shape) {
    T* data = numbers.release();
    return NumPy<T>(data, shape, nb::capsule(data, [](void* memory) noexcept { std::free(memory); }));
}

// A network with its parameters, so that a prediction has nothing to prepare.
template <class T> class Predictor {
  public:
    Predictor(const Description& description, Vector<T> theta, const std::string& isa)
        : kernels_(kernels_of<T>(isa)), net_(description, kernels_.lanes) {
        follow(theta);
    }

    // Takes over parameters that have changed.
    void follow(Vector<T> theta) {
        if (int64_t(theta.shape(0)) != net_.parameters) throw std::invalid_argument("the parameters do not fit the network");
        if (!std::equal(theta.data(), theta.data() + net_.parameters, net_.theta.get()))
            std::copy_n(theta.data(), net_.parameters, net_.theta.get());
    }

    NumPy<T> predict(Matrix<T> x, int threads) const {
        const int64_t inputs = net_.layers.front().inputs, outputs = net_.layers.back().units;
        const auto rows = int64_t(x.shape(0));
        if (int64_t(x.shape(1)) != inputs) throw std::invalid_argument("x does not fit the network");
        Block<T> result = room<T>(std::size_t(rows * outputs));
        {
            nb::gil_scoped_release no_python;
            const int64_t rows_at_once = std::max<int64_t>(512, rows / Pool::most_parts + 1);
            const int64_t parts = (rows + rows_at_once - 1) / rows_at_once;
            const double pay = double(net_.parameters) * double(rows) / operations_that_pay;
            threads = int(std::clamp(std::min(pay, double(parts)), 1.0, double(std::max(threads, 1))));
            const auto numbers = std::size_t(4 * kernels_.panel_rows * (net_.widest + 1));
            std::vector<Block<T>> rooms;
            for (int thread = 0; thread < threads; thread++) rooms.push_back(room<T>(numbers));
            Pool pool(threads);
            pool.each(parts, [&](int64_t part, int thread) {
                const int64_t begin = part * rows_at_once;
                kernels_.predict(net_.layers.data(), int64_t(net_.layers.size()), x.data() + begin * inputs,
                                 std::min(rows_at_once, rows - begin), result.get() + begin * outputs,
                                 rooms[std::size_t(thread)].get());
            });
        }
        return as_numpy<T>(std::move(result), {std::size_t(rows), std::size_t(outputs)});
    }

  private:
    static constexpr double operations_that_pay = 1e7;  // for each thread, as it must be started
    const Kernels<T>& kernels_;
    Network<T> net_;
};

using Rows = nb::ndarray<const int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// x, y, weights and the numbers of rows as Python has them; kept alive here. Python has checked the numbers.
template <class T> struct Table {
    Matrix<T> x, y;
    Vector<T> weights;
    std::optional<Rows> numbers;
    Data<T> data() const {
        if (y.shape(0) != x.shape(0) || weights.shape(0) != x.shape(0))
            throw std::invalid_argument("x, y and weights have unequal numbers of rows");
        const bool ones = std::all_of(weights.data(), weights.data() + weights.shape(0), [](T weight) { return weight == 1; });
        return {x.data(), y.data(), ones ? nullptr : weights.data(), numbers ? numbers->data() : nullptr,
                int64_t(numbers ? numbers->shape(0) : x.shape(0))};
    }
};

// What epochs that come need: the learning rate of every step, and which epoch the first is.
struct Ahead {
    Vector<double> rates;
    int64_t first_epoch;
};

// Asks a function of Python's whether long work is to end. An error of it, such as a second Ctrl-C, ends the work too and
// is thrown by `check`, where no other thread is at work any more.
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
    Trainer(const Description& description, const Settings& settings, const Table<T>& training, const Table<T>& validation,
            int threads, const std::string& isa)
        : training_(training), validation_(validation),
          run_(description, settings, kernels_of<T>(isa), training_.data(), validation_.data(), threads) {
        for (const Table<T>* table : {&training_, &validation_})
            if (int64_t(table->x.shape(1)) != run_.net.layers.front().inputs || int64_t(table->y.shape(1)) != run_.net.layers.back().units)
                throw std::invalid_argument("x and y do not fit the network");
    }

    void set(Vector<T> theta, std::vector<Vector<T>> memory, int64_t step, int64_t epoch) {
        fill(theta, run_.net.theta);
        for (std::size_t k = 0; k < run_.memory.size(); k++) fill(memory.at(k), run_.memory[k]);
        run_.steps_made = step;
        run_.epoch = epoch;
        run_.batch = 0;
    }
    void set_best(int64_t epoch, double loss) {  // its θ is the caller's
        run_.best_epoch = epoch;
        run_.best_loss = loss;
    }
    // The numbers of rows have been checked by Python.
    void set_shuffling(Vector<uint32_t> key, int64_t position, Vector<int64_t> order) {
        Shuffling& shuffling = run_.shuffling;
        if (key.shape(0) != shuffling.key.size() || int64_t(order.shape(0)) != run_.rows() || position < 0 || position > 624)
            throw std::invalid_argument("the shuffling does not fit the data");
        std::copy_n(key.data(), key.shape(0), shuffling.key.begin());
        shuffling.position = position;
        shuffling.order.assign(order.data(), order.data() + order.shape(0));
    }
    // Copies key and order to the caller's arrays, and returns the position.
    int64_t get_shuffling(Writable<uint32_t> key, Writable<int64_t> order) const {
        const Shuffling& shuffling = run_.shuffling;
        if (key.shape(0) != shuffling.key.size() || order.shape(0) != shuffling.order.size())
            throw std::invalid_argument("the shuffling does not fit the data");
        std::copy(shuffling.key.begin(), shuffling.key.end(), key.data());
        std::copy(shuffling.order.begin(), shuffling.order.end(), order.data());
        return shuffling.position;
    }
    void set_plateau(int64_t waited, double lowest_loss) {
        run_.waited = waited;
        run_.lowest_loss = lowest_loss;
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

    std::optional<std::pair<double, NumPy<T>>> objective(Vector<T> theta, const nb::callable& interrupted) {
        const std::optional<double> loss = loss_at(theta, interrupted, [&](Interruption& interruption) { return run_.objective(interruption); });
        if (!loss) return std::nullopt;
        Block<T> gradient = room<T>(std::size_t(run_.net.parameters));
        std::copy_n(run_.gradient(), run_.net.parameters, gradient.get());
        return std::pair(*loss, as_numpy<T>(std::move(gradient), {std::size_t(run_.net.parameters)}));
    }
    std::optional<double> validation_loss(Vector<T> theta, const nb::callable& interrupted) {
        return loss_at(theta, interrupted, [&](Interruption& interruption) { return run_.validation_loss(interruption); });
    }

    // Copies θ and what the optimiser remembers to the caller's arrays.
    void get(Writable<T> theta, std::vector<Writable<T>> memory) const {
        give(run_.net.theta, theta);
        for (std::size_t k = 0; k < run_.memory.size(); k++) give(run_.memory[k], memory.at(k));
    }
    // θ of the best epoch, which is the caller's from then on; None where it has been taken.
    std::optional<NumPy<T>> take_best() {
        if (!run_.best_theta) return std::nullopt;
        return as_numpy<T>(std::move(run_.best_theta), {std::size_t(run_.net.parameters)});
    }
    const Run<T>& run() const { return run_; }

  private:
    template <class Loss> std::optional<double> loss_at(Vector<T> theta, const nb::callable& interrupted, Loss loss) {
        fill(theta, run_.net.theta);
        Asking asking(interrupted);
        const nb::gil_scoped_release no_python;
        const std::optional<double> found = loss(asking.interruption);
        asking.check();
        return found;
    }
    void check(std::size_t numbers) const {
        if (int64_t(numbers) != run_.net.parameters) throw std::invalid_argument("a vector does not fit the network");
    }
    void fill(const Vector<T>& from, Block<T>& to) const {
        check(from.shape(0));
        std::copy_n(from.data(), run_.net.parameters, to.get());
    }
    void give(const Block<T>& from, const Writable<T>& to) const {
        check(to.shape(0));
        std::copy_n(from.get(), run_.net.parameters, to.data());
    }
    const Table<T> training_, validation_;
    Run<T> run_;
};

// Advances each of some runs, as many at a time as there are threads, until the time is up; one that was not begun has
// no outcome.
template <class T>
std::vector<std::optional<std::string>> advance_many(std::vector<Trainer<T>*> trainers, std::vector<Ahead*> ahead, double seconds,
                                                     int threads, const nb::callable& interrupted) {
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
            outcomes[i] = trainers[i]->advanced(*ahead[i], std::numeric_limits<int64_t>::max(), left, asking.interruption);
        } catch (...) {
            errors[i] = std::current_exception();
        }
    });
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
    asking.check();
    return outcomes;
}

template <class T> NumPy<T> function(const std::string& name, Vector<T> x, const std::string& isa) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const std::size_t n = x.shape(0), whole = (n + std::size_t(kernels.lanes) - 1) / kernels.lanes * kernels.lanes;
    Block<T> padded = zeros<T>(whole), result = zeros<T>(whole);
    std::copy_n(x.data(), n, padded.get());
    kernels.function(position(function_names, name), padded.get(), result.get(), int64_t(whole));
    return as_numpy<T>(std::move(result), {n});
}

// f(z) and f′(z) as a run computes them.
template <class T>
std::pair<NumPy<T>, NumPy<T>> activation(const std::string& name, double parameter, Vector<T> z, const std::string& isa) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const int number = position(activation_names, name);
    if (number == softmax_place) throw std::invalid_argument("softmax takes all units of a row together");
    const std::size_t n = z.shape(0), whole = (n + std::size_t(kernels.lanes) - 1) / kernels.lanes * kernels.lanes;
    Block<T> f = zeros<T>(whole), slopes = zeros<T>(whole);
    std::copy_n(z.data(), n, f.get());
    kernels.activate(number, T(parameter), f.get(), slopes.get(), int64_t(whole));
    return {as_numpy<T>(std::move(f), {n}), as_numpy<T>(std::move(slopes), {n})};
}

template <class T> void bind(nb::module_& m, const char* predictor, const char* table, const char* trainer) {
    nb::class_<Predictor<T>>(m, predictor)
        .def(nb::init<const Description&, Vector<T>, const std::string&>(), "description"_a, "theta"_a, "isa"_a)
        .def("follow", &Predictor<T>::follow, "theta"_a)
        .def("predict", &Predictor<T>::predict, "x"_a, "threads"_a);
    const auto told = [](auto of_run) { return [of_run](const Trainer<T>& trainer) { return of_run(trainer.run()); }; };
    nb::class_<Table<T>>(m, table)
        .def(nb::init<Matrix<T>, Matrix<T>, Vector<T>, std::optional<Rows>>(), "x"_a, "y"_a, "weights"_a,
             "numbers"_a.none() = nb::none());
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
        .def_prop_ro("losses", told([](const Run<T>& run) { return run.losses; }))
        .def_prop_ro("validation_losses", told([](const Run<T>& run) { return run.validation_losses; }))
        .def_prop_ro("step", told([](const Run<T>& run) { return run.steps_made; }))
        .def_prop_ro("epoch", told([](const Run<T>& run) { return run.epoch; }))
        .def_prop_ro("batch", told([](const Run<T>& run) { return run.batch; }))
        .def_prop_ro("best_epoch", told([](const Run<T>& run) { return run.best_epoch; }))
        .def_prop_ro("best_loss", told([](const Run<T>& run) { return run.best_loss; }))
        .def_prop_ro("rows", told([](const Run<T>& run) { return run.rows(); }))
        .def_prop_ro("threads", told([](const Run<T>& run) { return run.threads; }))
        .def_prop_ro("panel_rows", told([](const Run<T>& run) { return run.panel_rows(); }))
        .def_prop_ro("groups", told([](const Run<T>& run) { return run.groups(); }))
        .def_prop_ro("goes_by_layers", told([](const Run<T>& run) { return run.goes_by_layers(); }))
        .def_prop_ro("goes_at_once", told([](const Run<T>& run) { return run.goes_at_once(); }))
        .def_prop_ro("goes_row_by_row", told([](const Run<T>& run) { return run.goes_row_by_row(); }))
        .def_prop_ro("chunk_rows", told([](const Run<T>& run) { return run.chunk_rows(); }));
    m.def("advance_many", &advance_many<T>, "trainers"_a, "ahead"_a, "seconds"_a, "threads"_a, "interrupted"_a);
    m.def("function", &function<T>, "name"_a, "x"_a.noconvert(), "isa"_a);
    m.def("activation", &activation<T>, "name"_a, "parameter"_a, "z"_a.noconvert(), "isa"_a);
}

void bind_settings(nb::module_& m) {
    const auto make = [](Settings* place, std::string loss, double loss_parameter, double divisor, std::string optimizer,
                         std::vector<double> constants, int remembers, std::vector<double> dropout, double l1, double l2,
                         bool penalty_by_weight, bool penalty_in_loss, double clip_norm, int64_t batch_size, bool shuffle,
                         uint64_t seed, const std::string& stopping, int64_t patience, double tolerance,
                         const std::string& loss_weighting) {
        new (place) Settings{std::move(loss),
                             loss_parameter,
                             divisor,
                             std::move(optimizer),
                             std::move(constants),
                             remembers,
                             std::move(dropout),
                             l1,
                             l2,
                             penalty_by_weight,
                             penalty_in_loss,
                             clip_norm,
                             batch_size,
                             shuffle,
                             seed,
                             named<StoppingRule>(stopping),
                             patience,
                             tolerance,
                             named<LossWeighting>(loss_weighting)};
    };
    nb::class_<Settings>(m, "Settings")
        .def("__init__", make, "loss"_a, "loss_parameter"_a, "divisor"_a, "optimizer"_a, "constants"_a, "remembers"_a,
             "dropout"_a, "l1"_a, "l2"_a, "penalty_by_weight"_a, "penalty_in_loss"_a, "clip_norm"_a, "batch_size"_a,
             "shuffle"_a, "seed"_a, "stopping"_a, "patience"_a, "tolerance"_a, "loss_weighting"_a);
}

std::vector<std::string> names_of_sets_that_run_here() {
    std::vector<std::string> names;
    for (const InstructionSet& one : instruction_sets)
        if (one.runs_here()) names.emplace_back(one.name);
    return names;
}

}  // namespace chainrule

NB_MODULE(_native, m) {
    m.def("instruction_sets", &chainrule::names_of_sets_that_run_here);
    m.attr("activations") = std::vector<std::string>(std::begin(chainrule::activation_names),
                                                     std::end(chainrule::activation_names));
    m.attr("losses") = std::vector<std::string>(std::begin(chainrule::loss_names), std::end(chainrule::loss_names));
    m.attr("optimizers") = std::vector<std::string>(std::begin(chainrule::optimizer_names),
                                                    std::end(chainrule::optimizer_names));
    m.attr("compiler") = CHAINRULE_COMPILER;
    nb::class_<chainrule::Description>(m, "Description")
        .def(nb::init<std::vector<int64_t>, std::vector<std::pair<std::string, double>>, std::vector<bool>>(), "widths"_a,
             "activations"_a, "biases"_a);
    chainrule::bind_settings(m);
    nb::class_<chainrule::Ahead>(m, "Ahead")
        .def(nb::init<chainrule::Vector<double>, int64_t>(), "rates"_a, "first_epoch"_a);
    chainrule::bind<float>(m, "Predictor32", "Table32", "Trainer32");
    chainrule::bind<double>(m, "Predictor64", "Table64", "Trainer64");
}
