// Compiled once for each instruction set, with CHAINRULE_ISA and CHAINRULE_VECTOR_BYTES set.
#include "kernels.hpp"

#include "activations.hpp"
#include "losses.hpp"
#include "matrix.hpp"
#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

// The units of a layer in whole vectors; its rows may be further apart.
template <class T> int64_t columns(const Layer<T>& layer) { return (layer.units + lanes<T> - 1) / lanes<T> * lanes<T>; }

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
        multiply<T>(rows, columns(layer), layer.inputs, before, stride, 1, layer.weights, layer.stride, layer.bias, 0, f,
                    layer.stride);
        activate<T>(layer.activation, layer.parameter, f, nullptr, rows, layer.units, layer.stride);
        before = f;
        stride = layer.stride;
    }
    return before;
}

template <class T> T pass(const Tile<T>& t) {
    const int64_t last = t.depth - 1;
    for (int64_t i = 0; i < t.depth; i++) {
        const Layer<T>& layer = t.layers[i];
        // zᵢ = fᵢ₋₁Wᵢ + bᵢ, then fᵢ in its place
        multiply<T>(t.rows, columns(layer), layer.inputs, i ? t.f[i - 1] : t.x, i ? t.layers[i - 1].stride : layer.inputs, 1,
                    layer.weights, layer.stride, layer.bias, 0, t.f[i], layer.stride);
        const int64_t numbers = t.rows * layer.stride;
        if (i == last) __builtin_memcpy(t.z_of_output, t.f[i], sizeof(T) * numbers);
        activate<T>(layer.activation, layer.parameter, t.f[i], t.slopes[i], t.rows, layer.units, layer.stride);
        if (const T* mask = t.masks[i])
            for (int64_t k = 0; k < numbers; k += lanes<T>) {
                store(t.f[i] + k, load(t.f[i] + k) * load(mask + k));
                store(t.slopes[i] + k, load(t.slopes[i] + k) * load(mask + k));
            }
    }

    const Layer<T>& output = t.layers[last];
    T loss = 0;
    for (int64_t r = 0; r < t.rows; r++) {
        const int64_t at = r * output.stride;
        const Output<T> o = {t.y + at,           t.z_of_output + at, t.f[last] + at,   t.slopes[last] + at,
                             t.delta + at,       output.units,       t.loss_parameter};
        loss += t.shares[r] * (loss_of_row<T>(t.loss, output.activation, o, t.shares[r] / t.divisor) / t.divisor);
    }

    T *delta = t.delta, *before = t.delta_before;
    for (int64_t i = last; i >= 0; i--) {
        const Layer<T>& layer = t.layers[i];
        T *G = t.gradients[i], *bias = G + layer.inputs * layer.stride;
        const T* f = i ? t.f[i - 1] : t.x;
        const int64_t stride = i ? t.layers[i - 1].stride : layer.inputs;
        // ∂/∂Wᵢ = fᵢ₋₁ᵀδᵢ, ∂/∂bᵢ = Σ δᵢ
        multiply<T>(layer.inputs, columns(layer), t.rows, f, 1, stride, delta, layer.stride, t.first ? t.zeros : G,
                    t.first ? 0 : layer.stride, G, layer.stride);
        for (int64_t j = 0; j < layer.stride; j += lanes<T>) {
            Vec<T> total = t.first ? Vec<T>{} : load(bias + j);
            for (int64_t r = 0; r < t.rows; r++) total += load(delta + r * layer.stride + j);
            store(bias + j, total);
        }
        if (!i) break;
        // δᵢ₋₁ = (δᵢWᵢᵀ) ⊙ f′(zᵢ₋₁)
        multiply<T>(t.rows, columns(t.layers[i - 1]), layer.units, delta, layer.stride, 1, t.transposed[i], stride, t.zeros, 0, before, stride);
        for (int64_t k = 0; k < t.rows * stride; k += lanes<T>) store(before + k, load(before + k) * load(t.slopes[i - 1] + k));
        T* const swapped = delta;
        delta = before;
        before = swapped;
    }
    return loss;
}

template <class T> void function(int which, const T* x, T* result, int64_t n) {
    using Function = Vec<T> (*)(Vec<T>);
    constexpr Function functions[] = {exp<T>, expm1<T>, log<T>, tanh<T>, logistic<T>, erf<T>, sin<T>, cos<T>, softplus<T>};
    for (int64_t i = 0; i < n; i += lanes<T>) store(result + i, functions[which](load(x + i)));
}

template <class T> const Kernels<T>& kernels() {
    static constexpr Kernels<T> chosen = {lanes<T>, forward<T>, pass<T>, penalise<T>, update<T>, function<T>};
    return chosen;
}

const Kernels<float>& of_float() { return kernels<float>(); }
const Kernels<double>& of_double() { return kernels<double>(); }

}  // namespace chainrule::CHAINRULE_ISA
