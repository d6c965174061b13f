// Compiled once for each instruction set, with CHAINRULE_ISA and CHAINRULE_VECTOR_BYTES set.
#include "kernels.hpp"

#include "activations.hpp"
#include "matrix.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
const T* forward(const Layer<T>* layers, int64_t depth, const T* x, int64_t rows, T* scratch) {
    int64_t widest = 0;
    for (int64_t i = 0; i < depth; i++) widest = layers[i].stride > widest ? layers[i].stride : widest;
    T* halves[2] = {scratch, scratch + tile_rows * widest};
    const T* before = x;
    int64_t stride = layers[0].inputs;
    for (int64_t i = 0; i < depth; i++) {
        const Layer<T>& layer = layers[i];
        T* f = halves[i % 2];
        // zᵢ = fᵢ₋₁Wᵢ + bᵢ, then fᵢ in its place
        multiply<T>(rows, layer.stride, layer.inputs, before, stride, 1, layer.weights, layer.stride, layer.bias, 0, f,
                    layer.stride);
        activate<T>(layer.activation, layer.parameter, f, rows, layer.units, layer.stride);
        before = f;
        stride = layer.stride;
    }
    return before;
}

template <class T> void function(int which, const T* x, T* result, int64_t n) {
    using Function = Vec<T> (*)(Vec<T>);
    constexpr Function functions[] = {exp<T>, expm1<T>, log<T>, tanh<T>, logistic<T>, erf<T>, sin<T>, cos<T>, softplus<T>};
    for (int64_t i = 0; i < n; i += lanes<T>) store(result + i, functions[which](load(x + i)));
}

template <class T> const Kernels<T>& kernels() {
    static constexpr Kernels<T> chosen = {lanes<T>, forward<T>, function<T>};
    return chosen;
}

const Kernels<float>& of_float() { return kernels<float>(); }
const Kernels<double>& of_double() { return kernels<double>(); }

}  // namespace chainrule::CHAINRULE_ISA
