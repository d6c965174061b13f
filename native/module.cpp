// The Python module chainrule.engines._native: prediction and training by the kernels of one instruction set.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <iterator>

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
template <class T> using NumPy = nb::ndarray<nb::numpy, T>;

template <class T> NumPy<T> as_numpy(Block<T> numbers, std::initializer_list<std::size_t> shape) {
    T* data = numbers.release();
    return NumPy<T>(data, shape, nb::capsule(data, [](void* memory) noexcept { std::free(memory); }));
}

// A network with its parameters, padded to whole vectors once, so that a prediction has nothing to prepare.
template <class T> class Predictor {
  public:
    Predictor(const Description& description, Vector<T> theta, const std::string& isa)
        : kernels_(kernels_of<T>(isa)), net_(description, kernels_.lanes) {
        if (int64_t(theta.shape(0)) != net_.given) throw std::invalid_argument("the parameters do not fit the network");
        net_.pad(theta.data(), net_.theta.get());
    }

    NumPy<T> predict(Matrix<T> x) const {
        const Layer<T>&first = net_.layers.front(), &last = net_.layers.back();
        const auto rows = int64_t(x.shape(0));
        if (int64_t(x.shape(1)) != first.inputs) throw std::invalid_argument("x does not fit the network");
        Block<T> result = room<T>(std::size_t(rows * last.units));
        {
            nb::gil_scoped_release no_python;
            const Block<T> scratch = room<T>(std::size_t(2 * tile_rows * net_.widest));
            for (int64_t start = 0; start < rows; start += tile_rows) {
                const int64_t count = std::min(tile_rows, rows - start);
                const T* f = kernels_.forward(net_.layers.data(), int64_t(net_.layers.size()),
                                              x.data() + start * first.inputs, count, scratch.get());
                for (int64_t r = 0; r < count; r++)
                    std::copy_n(f + r * last.stride, last.units, result.get() + (start + r) * last.units);
            }
        }
        return as_numpy<T>(std::move(result), {std::size_t(rows), std::size_t(last.units)});
    }

  private:
    const Kernels<T>& kernels_;
    Network<T> net_;
};

// A run as Python sees it: it keeps the arrays of the data alive, and moves while Python may do something else.
template <class T> class Trainer {
  public:
    Trainer(const Description& description, const Settings& settings, Matrix<T> x, Matrix<T> y, Vector<T> weights,
            const std::string& isa)
        : x_(x), y_(y), weights_(weights),
          run_(description, settings, kernels_of<T>(isa), x.data(), y.data(), weights.data(), int64_t(x.shape(0))) {
        if (y.shape(0) != x.shape(0) || weights.shape(0) != x.shape(0))
            throw std::invalid_argument("x, y and weights have unequal numbers of rows");
    }

    void set(Vector<T> theta, std::vector<Vector<T>> memory, int64_t step, int64_t epoch) {
        run_.net.pad(fitting(theta), run_.net.theta.get());
        for (std::size_t k = 0; k < run_.memory.size(); k++) run_.net.pad(fitting(memory.at(k)), run_.memory[k].get());
        run_.steps_made = step;
        run_.epoch = epoch;
        run_.batch = 0;
    }

    std::vector<NumPy<T>> get() const {
        std::vector<NumPy<T>> vectors;
        const auto add = [&](const Block<T>& from) {
            Block<T> flat = room<T>(std::size_t(run_.net.given));
            run_.net.unpad(from.get(), flat.get());
            vectors.push_back(as_numpy<T>(std::move(flat), {std::size_t(run_.net.given)}));
        };
        add(run_.net.theta);
        for (const Block<T>& vector : run_.memory) add(vector);
        return vectors;
    }

    std::string advance(Vector<double> rates, int64_t steps, double seconds) {
        nb::gil_scoped_release no_python;
        switch (run_.advance(rates.data(), steps, seconds)) {
            case Outcome::epoch_done: return "epoch done";
            case Outcome::time_is_up: return "time is up";
            default: return "diverged";
        }
    }

    double loss() const { return run_.loss; }
    int64_t batch() const { return run_.batch; }
    int64_t step() const { return run_.steps_made; }

  private:
    const T* fitting(const Vector<T>& vector) const {
        if (int64_t(vector.shape(0)) != run_.net.given) throw std::invalid_argument("a vector does not fit the network");
        return vector.data();
    }
    Matrix<T> x_, y_;
    Vector<T> weights_;
    Run<T> run_;
};

template <class T> NumPy<T> function(const std::string& name, Vector<T> x, const std::string& isa) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const std::size_t n = x.shape(0), whole = (n + std::size_t(kernels.lanes) - 1) / kernels.lanes * kernels.lanes;
    Block<T> padded = zeros<T>(whole), result = zeros<T>(whole);
    std::copy_n(x.data(), n, padded.get());
    kernels.function(position(function_names, name), padded.get(), result.get(), int64_t(whole));
    return as_numpy<T>(std::move(result), {n});
}

template <class T> void bind(nb::module_& m, const char* predictor, const char* trainer) {
    nb::class_<Predictor<T>>(m, predictor)
        .def(nb::init<const Description&, Vector<T>, const std::string&>(), "description"_a, "theta"_a, "isa"_a)
        .def("predict", &Predictor<T>::predict, "x"_a);
    nb::class_<Trainer<T>>(m, trainer)
        .def(nb::init<const Description&, const Settings&, Matrix<T>, Matrix<T>, Vector<T>, const std::string&>(),
             "description"_a, "settings"_a, "x"_a, "y"_a, "weights"_a, "isa"_a)
        .def("set", &Trainer<T>::set, "theta"_a, "memory"_a, "step"_a, "epoch"_a)
        .def("get", &Trainer<T>::get)
        .def("advance", &Trainer<T>::advance, "rates"_a, "steps"_a, "seconds"_a)
        .def_prop_ro("loss", &Trainer<T>::loss)
        .def_prop_ro("batch", &Trainer<T>::batch)
        .def_prop_ro("step", &Trainer<T>::step);
    m.def("function", &function<T>, "name"_a, "x"_a.noconvert(), "isa"_a);
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
    nb::class_<chainrule::Settings>(m, "Settings")
        .def(nb::init<std::string, double, double, std::string, std::vector<double>, int, std::vector<double>, double,
                      double, double, int64_t, bool, uint64_t>(),
             "loss"_a, "loss_parameter"_a, "divisor"_a, "optimizer"_a, "constants"_a, "remembers"_a, "dropout"_a, "l1"_a,
             "l2"_a, "clip_norm"_a, "batch_size"_a, "shuffle"_a, "seed"_a);
    chainrule::bind<float>(m, "Predictor32", "Trainer32");
    chainrule::bind<double>(m, "Predictor64", "Trainer64");
}
