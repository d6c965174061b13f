// Panels: rows of a table become the lanes of vectors, and back; what goes through a layer lane by lane.
#pragma once

#include "activations.hpp"
#include "kernels.hpp"
#include "matrix.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> constexpr int64_t panel_rows = block_vectors * lanes<T>;
template <class T> int64_t whole_vectors(int64_t n) { return (n + lanes<T> - 1) / lanes<T> * lanes<T>; }

// Rows of a table (units numbers each) become the lanes of a panel: to is units × width. Lanes without a row of their
// own have the last one, since with made-up numbers an activation might overflow there. Where that is asked for, the
// bits of each column's numbers, joined by or, are put into `column_bits`; there are at least as many as a vector has
// lanes.
template <class T, class Row>
void gather(Row row_at, int64_t rows, int64_t units, T* to, int64_t width, Bits<T>* column_bits = nullptr) {
    for (int64_t w = 0; w < width; w += lanes<T>) {
        if (units < lanes<T>) {
            for (int64_t r = w; r < w + lanes<T>; r++) {
                const T* const row = row_at(r < rows ? r : rows - 1);
                for (int64_t j = 0; j < units; j++) to[j * width + r] = row[j];
            }
            continue;
        }
        for (int64_t j = 0; j < units; j += lanes<T>) {
            const int64_t first = j + lanes<T> <= units ? j : units - lanes<T>;  // the last go over some once more
            Vec<T> square[lanes<T>];
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) square[k] = load(row_at(w + k < rows ? w + k : rows - 1) + first);
            if (column_bits) {
                Integers<T> all_bits = {};
                if (w) __builtin_memcpy(&all_bits, column_bits + first, sizeof all_bits);
#pragma GCC unroll 16
                for (int k = 0; k < lanes<T>; k++) all_bits |= bits<T>(square[k]);
                __builtin_memcpy(column_bits + first, &all_bits, sizeof all_bits);
            }
            transpose<T>(square);
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) store(to + (first + k) * width + w, square[k]);
        }
    }
}

// The lanes of a panel (units × width) become rows, in whole vectors of units with zeros after them, packed as
// matrix.hpp says.
template <class T> void unload_packed(const T* from, int64_t units, int64_t width, T* to) {
    const int64_t columns = whole_vectors<T>(units);
    for (int64_t j = 0; j < columns; j += lanes<T>) {
        const bool is_single = j % panel_rows<T> == 0 && columns - j == lanes<T>;
        const int64_t stride = is_single ? lanes<T> : panel_rows<T>;
        T* const begin = to + j / panel_rows<T> * panel_rows<T> * panel_rows<T> + j % panel_rows<T>;
        for (int64_t w = 0; w < width; w += lanes<T>) {
            Vec<T> square[lanes<T>];
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) square[k] = j + k < units ? load(from + (j + k) * width + w) : Vec<T>{};
            transpose<T>(square);
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) store(begin + (w + k) * stride, square[k]);
        }
    }
}

// Lists which of a panel's inputs are not 0 in all of its rows, and the ones below them, as Product wants it.
template <class T> void list_inputs(const Layer<T>& layer, const Bits<T>* column_bits, Offset* offsets,
                                    int64_t* counts) {
    in_pieces(layer.rows, [&](int64_t k, int64_t inner) {
        Offset* to = offsets + k;
        for (int64_t n = 0; n < inner; n++) {
            *to = Offset(n);
            to += k + n == layer.inputs || !is_zero<T>(column_bits[k + n]);
        }
        counts[k / inner_at_once] = to - (offsets + k);
    });
}

// zᵢ = fᵢ₋₁Wᵢ + bᵢ: W's columns are A's rows, and the ones below fᵢ₋₁ take in the bias.
template <class T> Product<T> weighing(const Layer<T>& layer, const T* f, int64_t width, T* z) {
    return {layer.units, width, layer.rows, layer.theta, 1, layer.units, f, width, z, width};
}

template <class T> void ones(T* to, int64_t width) {
    for (int64_t w = 0; w < width; w += lanes<T>) store(to + w, all<T>(T(1)));
}

// zᵢ becomes fᵢ in its place, of some units or, with softmax, of all; with f′(zᵢ) in `slopes` where that is asked for
// and the units are not taken together.
template <class T> void activate(const Layer<T>& layer, int64_t units, T* f, T* slopes, int64_t width) {
    if (layer.activation == ActivationName::softmax)
        softmax<T>(f, units, width);
    else
        activate<T>(layer.activation, layer.parameter, f, slopes, units * width);
}

// Where a panel of a chunk lies.
template <class T> struct Panel {
    const Chunk<T>& c;
    int64_t begin, rows, width;
    Panel(const Chunk<T>& c, int64_t panel)
        : c(c), begin(panel * panel_rows<T>), rows(c.rows - begin < panel_rows<T> ? c.rows - begin : panel_rows<T>),
          width(whole_vectors<T>(rows)) {}
    int64_t inputs() const { return c.layers[0].inputs; }
    int64_t outputs() const { return c.layers[c.depth - 1].units; }
    T* f(int64_t i) const { return c.f[i] + begin * ((i ? c.layers[i - 1].units : inputs()) + 1); }  // fᵢ, from f₀ on
    T* z() const { return c.z + begin * outputs(); }
    T* slopes(int64_t i) const { return c.slopes[i] + begin * c.layers[i].units; }
    const T* mask(int64_t i) const { return c.masks[i] ? c.masks[i] + begin * c.layers[i].units : nullptr; }
    T* errors(int64_t i) const { return c.errors[i] + begin * c.layers[i].columns; }
    Bits<T>* column_bits() const { return c.column_bits ? c.column_bits + begin / panel_rows<T> * inputs() : nullptr; }
    Offset* offsets() const { return c.offsets + begin / panel_rows<T> * (inputs() + 1); }
    int64_t* counts() const { return c.counts + begin / panel_rows<T> * pieces(inputs() + 1); }
};

// The data may be far away: the next panel's rows are prefetched before this one goes through the layers.
template <class T> void prefetch_next_rows(const Panel<T>& at) {
    const int64_t begin = at.begin + at.rows, left = at.c.rows + at.c.rows_ahead - begin;
    for (int64_t r = 0; r < (left < panel_rows<T> ? left : panel_rows<T>); r++) {
        const T* const row = at.c.x + at.c.order[begin + r] * at.inputs();
        for (int64_t k = 0; k < at.inputs(); k += 64 / int64_t(sizeof(T))) __builtin_prefetch(row + k, 0, 2);
    }
}

template <class T> void load_panel(const Chunk<T>& c, int64_t panel) {
    const Panel<T> at(c, panel);
    prefetch_next_rows(at);
    Bits<T>* const column_bits = at.column_bits();
    gather<T>([&](int64_t r) { return c.x + c.order[at.begin + r] * at.inputs(); }, at.rows, at.inputs(), at.f(0),
              at.width, column_bits);
    ones(at.f(0) + at.inputs() * at.width, at.width);
    if (column_bits) list_inputs<T>(c.layers[0], column_bits, at.offsets(), at.counts());
}

template <class T> void compact_columns(const Chunk<T>& c, int64_t panel) {
    const Panel<T> at(c, panel);
    T* const f = at.f(0);
    for (int64_t n = 0; n < c.nonzero_count; n++)
        for (int64_t w = 0; w < at.width; w += lanes<T>)
            store(f + n * at.width + w, load(f + c.nonzero_columns[n] * at.width + w));
}

}  // namespace chainrule::CHAINRULE_ISA
