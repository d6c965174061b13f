// The Python module chainrule.engines._native: a network's forward pass by the kernels of one instruction set.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <new>
#include <stdexcept>

#include "kernels.hpp"

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

template <std::size_t N> int position(const char* const (&names)[N], const std::string& name) {
    const auto found = std::find(std::begin(names), std::end(names), name);
    if (found == std::end(names)) throw std::invalid_argument("there is no native " + name);
    return int(found - std::begin(names));
}

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
template <class T> using Block = std::unique_ptr<T[], Free>;

// Numbers that begin on a cache line, not yet set.
template <class T> Block<T> room(std::size_t count) {
    void* memory = std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64 + 64);
    if (!memory) throw std::bad_alloc();
    return Block<T>(static_cast<T*>(memory));
}
template <class T> Block<T> zeros(std::size_t count) {
    Block<T> block = room<T>(count);
    std::fill_n(block.get(), count, T(0));
    return block;
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
    Predictor(std::vector<int64_t> widths, std::vector<std::pair<std::string, double>> activations,
              std::vector<bool> biases, Vector<T> theta, const std::string& isa)
        : kernels_(kernels_of<T>(isa)) {
        const std::size_t depth = activations.size();
        std::size_t padded = 0, given = 0;
        for (std::size_t i = 0; i < depth; i++) {
            const int64_t stride = (widths[i + 1] + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
            layers_.push_back({widths[i], widths[i + 1], stride, nullptr, nullptr,
                               position(activation_names, activations[i].first), T(activations[i].second)});
            padded += std::size_t((widths[i] + 1) * stride);
            given += std::size_t((widths[i] + (biases[i] ? 1 : 0)) * widths[i + 1]);
            widest_ = std::max(widest_, stride);
        }
        if (theta.shape(0) != given) throw std::invalid_argument("the parameters do not fit the network");
        weights_ = zeros<T>(padded);
        T* to = weights_.get();
        const T* from = theta.data();
        for (std::size_t i = 0; i < depth; i++) {
            Layer<T>& layer = layers_[i];
            layer.weights = to;
            layer.bias = to + layer.inputs * layer.stride;
            for (int64_t row = 0; row < layer.inputs + (biases[i] ? 1 : 0); row++, from += layer.units)
                std::copy(from, from + layer.units, to + row * layer.stride);
            to += (layer.inputs + 1) * layer.stride;
        }
    }

    NumPy<T> predict(Matrix<T> x) const {
        const int64_t rows = int64_t(x.shape(0)), inputs = layers_.front().inputs, outputs = layers_.back().units;
        if (int64_t(x.shape(1)) != inputs) throw std::invalid_argument("x does not fit the network");
        Block<T> result = room<T>(std::size_t(rows * outputs));
        {
            nb::gil_scoped_release no_python;
            const Block<T> scratch = room<T>(std::size_t(2 * tile_rows * widest_));
            for (int64_t start = 0; start < rows; start += tile_rows) {
                const int64_t count = std::min(tile_rows, rows - start);
                const T* f = kernels_.forward(layers_.data(), int64_t(layers_.size()), x.data() + start * inputs, count,
                                              scratch.get());
                for (int64_t r = 0; r < count; r++)
                    std::copy_n(f + r * layers_.back().stride, outputs, result.get() + (start + r) * outputs);
            }
        }
        return as_numpy<T>(std::move(result), {std::size_t(rows), std::size_t(outputs)});
    }

  private:
    const Kernels<T>& kernels_;
    std::vector<Layer<T>> layers_;
    Block<T> weights_;
    int64_t widest_ = 0;
};

template <class T> NumPy<T> function(const std::string& name, Vector<T> x, const std::string& isa) {
    const Kernels<T>& kernels = kernels_of<T>(isa);
    const std::size_t n = x.shape(0), whole = (n + std::size_t(kernels.lanes) - 1) / kernels.lanes * kernels.lanes;
    Block<T> padded = zeros<T>(whole), result = zeros<T>(whole);
    std::copy_n(x.data(), n, padded.get());
    kernels.function(position(function_names, name), padded.get(), result.get(), int64_t(whole));
    return as_numpy<T>(std::move(result), {n});
}

template <class T> void bind(nb::module_& m, const char* predictor) {
    nb::class_<Predictor<T>>(m, predictor)
        .def(nb::init<std::vector<int64_t>, std::vector<std::pair<std::string, double>>, std::vector<bool>, Vector<T>,
                      const std::string&>(),
             "widths"_a, "activations"_a, "biases"_a, "theta"_a, "isa"_a)
        .def("predict", &Predictor<T>::predict, "x"_a);
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
    m.attr("compiler") = CHAINRULE_COMPILER;
    chainrule::bind<float>(m, "Predictor32");
    chainrule::bind<double>(m, "Predictor64");
}
