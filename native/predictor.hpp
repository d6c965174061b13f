// Predictions as Python asks for them.
#pragma once

#include "arrays.hpp"
#include "instruction_sets.hpp"
#include "network.hpp"
#include "threads.hpp"

namespace chainrule {

// A network with its parameters, so that a prediction has nothing to prepare.
template <class T> class Predictor {
  public:
    Predictor(const Description& description, const Vector<T>& theta, const std::string& isa)
        : kernels_(kernels_of<T>(isa)), net_(description, kernels_.lanes) {
        follow(theta);
    }

    // Takes over parameters that have changed.
    void follow(const Vector<T>& theta) {
        if (int64_t(theta.shape(0)) != net_.parameters)
            throw std::invalid_argument("the parameters do not fit the network");
        if (!std::equal(theta.data(), theta.data() + net_.parameters, net_.theta.get()))
            std::copy_n(theta.data(), net_.parameters, net_.theta.get());
    }

    NumPy<T> predict(Matrix<T> x, int threads) const {
        const int64_t inputs = net_.layers.front().inputs, outputs = net_.layers.back().units;
        const auto rows = int64_t(x.shape(0));
        if (int64_t(x.shape(1)) != inputs) throw std::invalid_argument("x does not fit the network");
        Buffer<T> result = uninitialized<T>(std::size_t(rows * outputs));
        {
            nb::gil_scoped_release no_python;
            const int64_t rows_at_once = std::max<int64_t>(512, rows / Pool::most_parts + 1);
            const int64_t parts = (rows + rows_at_once - 1) / rows_at_once;
            const double pay = double(net_.parameters) * double(rows) / operations_that_pay;
            threads = int(std::clamp(std::min(pay, double(parts)), 1.0, double(std::max(threads, 1))));
            const auto numbers = std::size_t(4 * kernels_.panel_rows * (net_.widest + 1));
            std::vector<Buffer<T>> scratch;
            scratch.reserve(std::size_t(threads));
            for (int thread = 0; thread < threads; thread++) scratch.push_back(uninitialized<T>(numbers));
            Pool pool(threads);
            pool.each(parts, [&](int64_t part, int thread) {
                const int64_t begin = part * rows_at_once;
                kernels_.predict(net_.layers.data(), int64_t(net_.layers.size()), x.data() + begin * inputs,
                                 std::min(rows_at_once, rows - begin), result.get() + begin * outputs,
                                 scratch[std::size_t(thread)].get());
            });
        }
        return as_numpy<T>(std::move(result), {std::size_t(rows), std::size_t(outputs)});
    }

  private:
    static constexpr double operations_that_pay = 1e7;  // for each thread, as it must be started
    const Kernels<T>& kernels_;
    Network<T> net_;
};

template <class T> void bind_predictor(nb::module_& m, const char* name) {
    nb::class_<Predictor<T>>(m, name)
        .def(nb::init<const Description&, Vector<T>, const std::string&>(), "description"_a, "theta"_a, "isa"_a)
        .def("follow", &Predictor<T>::follow, "theta"_a)
        .def("predict", &Predictor<T>::predict, "x"_a, "threads"_a);
}

}  // namespace chainrule
