// Narrow networks: a batch of one panel forward, back and into its gradient in one call, without dividing products into
// blocks.
#pragma once

#include "gradient.hpp"
#include "panel_product.hpp"

namespace chainrule::CHAINRULE_ISA {

// Σ over all lanes of fᵢ₋₁'s row k times δᵢ's row j, for every k and j, as many of these numbers at a time as a vector
// has lanes.
template <class T, int V> void narrow_gradient(const Layer<T>& layer, const T* f, const T* deltas, T* gradient) {
    const int64_t numbers = layer.rows * layer.units;
    const T *const end = deltas + layer.units * V * lanes<T>, *delta = deltas;
    for (int64_t begin = 0; begin < numbers; begin += lanes<T>) {
        const int64_t here = numbers - begin < lanes<T> ? numbers - begin : lanes<T>;
        Vec<T> sums[lanes<T>] = {};
#pragma GCC unroll 16
        for (int l = 0; l < lanes<T>; l++) {
            if (l >= here) continue;
#pragma GCC unroll 2
            for (int v = 0; v < V; v++) sums[l] += load(f + v * lanes<T>) * load(delta + v * lanes<T>);
            delta += V * lanes<T>;
            const bool is_last = delta == end;  // of the row
            f += is_last ? V * lanes<T> : 0;
            delta = is_last ? deltas : delta;
        }
        const Vec<T> all_sums = sums_of<T>(sums);
        if (here == lanes<T>)
            store(gradient + begin, all_sums);
        else
            __builtin_memcpy(gradient + begin, &all_sums, sizeof(T) * here);
    }
}

// A chunk of one panel, V vectors wide, through narrow layers and back, with its gradient.
template <class T, int V> T narrow_pass(const Chunk<T>& c, const int64_t* begins, T* all_gradients, T* scratch) {
    const Panel<T> at(c, 0);
    load_panel(c, 0);
    for (int64_t i = 0; i < c.depth; i++) {
        const Layer<T>& layer = c.layers[i];
        T* const f = at.f(i + 1);
        panel_product<T, V>(layer.units, layer.theta, 1, layer.units, at.f(i), layer.rows, f, false);
        if (i + 1 == c.depth) __builtin_memcpy(at.z(), f, sizeof(T) * layer.units * at.width);
        activate<T>(layer, layer.units, f, at.slopes(i), at.width);
        ones(f + layer.units * at.width, at.width);
    }
    const T loss = output(c, 0, scratch);
    for (int64_t i = c.depth - 1; i > 0; i--) {
        const Layer<T>& layer = c.layers[i];
        T* const errors = at.slopes(i - 1);  // take the place of the slopes
        panel_product<T, V>(layer.inputs, layer.theta, layer.units, 1, at.slopes(i), layer.units, errors, true);
    }
    for (int64_t i = 0; i < c.depth; i++) {
        const Layer<T>& layer = c.layers[i];
        if (2 * layer.units <= lanes<T>) {
            narrow_gradient<T, V>(layer, at.f(i), at.slopes(i), all_gradients + begins[i]);
        } else {
            pack_errors(c, i, 0);
            gradient(c, i, 0, layer.rows, false, all_gradients + begins[i], scratch);
        }
    }
    return loss;
}

template <class T> T narrow(const Chunk<T>& c, const int64_t* begins, T* gradient, T* scratch) {
    static_assert(block_vectors == 2);
    return c.rows > lanes<T> ? narrow_pass<T, 2>(c, begins, gradient, scratch)
                             : narrow_pass<T, 1>(c, begins, gradient, scratch);
}

}  // namespace chainrule::CHAINRULE_ISA
