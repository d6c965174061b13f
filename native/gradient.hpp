// The gradient of a layer, from the panels of a chunk.
#pragma once

#include "pass.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> void sum_over_lanes(const Product<T>& p, int64_t first, int64_t leftover) {
    const auto sums = [&]<int J>() {
        if constexpr (J <= lanes<T>) sums_over_lanes<T, J>(p, first);
    };
    switch (leftover) {
        case 1: return sums.template operator()<1>();
        case 2: return sums.template operator()<2>();
        case 3: return sums.template operator()<3>();
        case 4: return sums.template operator()<4>();
        default: return;
    }
}

// Rows of `scratch`, `stride` apart, become rows of the gradient, units numbers each. With nonzero columns, the rows of
// the gradient that lie between them are set to 0, unless the gradient is added to.
template <class T, class RowAt>
void unpack_rows(const T* scratch, int64_t columns, int64_t stride, int64_t rows, int64_t units, RowAt row_at,
                 int64_t first, const int64_t* nonzero_columns, bool add) {
    const T* const end = row_at(rows - 1) + units;
    for (int64_t r = 0; r < rows; r++) {
        const T* const from = scratch + r * stride;
        T* const row = row_at(r);
        if (nonzero_columns && !add) {
            const int64_t column = nonzero_columns[first + r];
            const int64_t before = first + r ? nonzero_columns[first + r - 1] + 1 : 0;
            for (T* zero = row - (column - before) * units; zero < row; zero++) *zero = T(0);
        }
        // Whole vectors, where what the last one ends in is overwritten by the next row.
        if (!nonzero_columns && row + columns <= end)
            for (int64_t j = 0; j < columns; j += lanes<T>) store(row + j, load(from + j));
        else
            for (int64_t j = 0; j < units; j++) row[j] = from[j];
    }
}

// ∂/∂Wᵢ = fᵢ₋₁ᵀδᵢ, and ∂/∂bᵢ = Σ δᵢ by the ones below fᵢ₋₁: one sum over all panels of the chunk. If only the nonzero
// columns of f₀ take part, `first` and `rows` count those, and the gradient of the rows between them is 0.
template <class T>
void gradient(const Chunk<T>& c, int64_t i, int64_t first, int64_t rows, bool add, T* gradient, T* scratch) {
    const Layer<T>& layer = c.layers[i];
    const int64_t panels = (c.rows + panel_rows<T> - 1) / panel_rows<T>,
                  in_last = c.rows - (panels - 1) * panel_rows<T>;
    const int64_t width_of_last = whole_vectors<T>(in_last), units = layer.units;
    const int64_t leftover = leftover_units(layer), others = units - leftover, columns = whole_vectors<T>(others);
    const int64_t* const nonzero_columns = i == 0 ? c.nonzero_columns : nullptr;
    const auto row_at = [&](int64_t r) {
        return gradient + (nonzero_columns ? nonzero_columns[first + r] : first + r) * units;
    };
    const bool direct = columns + leftover == units && !nonzero_columns;
    T* const to = direct ? row_at(0) : scratch;
    if (!direct && add)
        for (int64_t r = 0; r < rows; r++)
            __builtin_memcpy(scratch + r * (columns + leftover), row_at(r), sizeof(T) * units);

    Product<T> p = {
        rows, columns, in_last, c.f[i], width_of_last, 1, c.errors[i], 0, to, columns + leftover, add ? to : nullptr};
    p.first_row = first;
    p.packed_rows = panel_rows<T>;
    if (panels > 1) {
        p.segments = panels;
        p.inner = p.row_step = panel_rows<T>;
        p.a_advance = panel_rows<T> * (layer.inputs + 1);
        p.b_advance = panel_rows<T> * layer.columns;
        p.last_inner = in_last;
        p.last_row_step = width_of_last;
    }
    if (columns) multiply(p);
    if (leftover) {
        p.inner = panel_rows<T>;
        p.last_inner = width_of_last;
        p.b_advance = panel_rows<T> * units;
        p.b = c.slopes[i];
        p.c += others;
        sum_over_lanes(p, others, leftover);
    }
    if (!direct) unpack_rows(scratch, columns, columns + leftover, rows, units, row_at, first, nonzero_columns, add);
}

}  // namespace chainrule::CHAINRULE_ISA
