// Compiled once for each instruction set, with CHAINRULE_ISA and CHAINRULE_VECTOR_BYTES set.
#include "kernels.hpp"

#include "chain.hpp"
#include "gradient.hpp"
#include "narrow.hpp"
#include "optimizers.hpp"
#include "pass.hpp"
#include "predict.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> void add(T* g, const T* h, int64_t n) {
    for (int64_t i = 0; i < n; i += lanes<T>) store(g + i, load(g + i) + load(h + i));
}

template <class T> Vec<T> tanh_one_by_one(Vec<T> x) {
    for (int i = 0; i < lanes<T>; i++) x[i] = value_of_one<T, Tanh<T>>(x[i], T(0));
    return x;
}

template <class T> void function(FunctionName name, const T* x, T* result, int64_t n) {
    const auto apply = [&](auto f) {
        for (int64_t i = 0; i < n; i += lanes<T>) store(result + i, f(load(x + i)));
    };
    switch (name) {
        case FunctionName::exp: return apply([](Vec<T> x) { return exp<T>(x); });
        case FunctionName::expm1: return apply(expm1<T>);
        case FunctionName::log: return apply([](Vec<T> x) { return log<T>(x); });
        case FunctionName::tanh_of_one: return apply(tanh_one_by_one<T>);
    }
}

template <class T> const Kernels<T>& kernels() {
    static constexpr Kernels<T> chosen = {lanes<T>,           panel_rows<T>, block_rows,  predict<T>,     pass<T>,
                                          load_panel<T>,      forward<T>,    output<T>,   pack_errors<T>, back<T>,
                                          compact_columns<T>, chain<T>,      gradient<T>, narrow<T>,      add<T>,
                                          penalise<T>,        update<T>,     activate<T>, function<T>};
    return chosen;
}

const Kernels<float>& of_float() { return kernels<float>(); }
const Kernels<double>& of_double() { return kernels<double>(); }

}  // namespace chainrule::CHAINRULE_ISA
