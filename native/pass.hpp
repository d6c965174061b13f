// Panels of a chunk forward and back: fᵢ and f′(zᵢ), ℒ, δᵢ.
#pragma once

#include "losses.hpp"
#include "panel_product.hpp"
#include "panels.hpp"

namespace chainrule::CHAINRULE_ISA {

// A piece of a block of A's rows, which begins with element (row, k), as it is copied: elements of one row, or of one
// k, lie together.
template <class T> struct Piece {
    alignas(64) T numbers[block_rows * inner_at_once + lanes<T>];  // whole vectors reach beyond the last
    int64_t row, rows, k, inner, row_step, step;
};

// Piece by piece of the inner dimension, block by block, panel by panel: so a piece of A stays in the first cache for
// all panels, and the panels' pieces in the second for all blocks. A's rows may lie so that they share few places of a
// cache; copy(piece) gets one for all panels. product(panel) is that of all rows of A; partial(panel) is where its sums
// grow.
template <class T, class Copy, class MakeProduct, class Partial>
void multiply_tile(const Chunk<T>& c, const Tile& tile, Copy copy, MakeProduct product, Partial partial) {
    const Panel<T> first(c, tile.first_panel);
    const Product<T> whole = product(first);
    if (!tile.blocks) return multiply_at_once(whole, partial(first));
    const Division division(whole.rows);
    Piece<T> piece;
    in_pieces(whole.inner, [&](int64_t k, int64_t inner) {
        for (int64_t block = tile.first_block; block < tile.first_block + tile.blocks; block++) {
            piece.row = division.row_of(block);
            piece.rows = division.rows_of(block);
            piece.k = k;
            piece.inner = inner;
            copy(piece);
            for (int64_t panel = tile.first_panel; panel < tile.first_panel + tile.panels; panel++) {
                const Panel<T> at(c, panel);
                Product<T> p = piece_of(product(at), k, inner, partial(at));
                p.first_block = block;
                p.blocks = 1;
                p.a = piece.numbers;
                p.row_step = piece.row_step;
                p.step = piece.step;
                p.first_row = -piece.row;
                multiply(p);
            }
        }
    });
}

template <class T> void forward(const Chunk<T>& c, const Tile& tile, bool back) {
    const int64_t i = tile.layer;
    const Layer<T>& layer = c.layers[i];
    int64_t first = 0, units = layer.units;
    if (tile.blocks) {
        const Division division(layer.units);
        first = division.row_of(tile.first_block);
        units = division.row_of(tile.first_block + tile.blocks) - first;
    }
    const auto copy = [&](Piece<T>& piece) {
        const T* from = layer.theta + piece.k * layer.units + piece.row;
        T* to = piece.numbers;
        for (int64_t k = 0; k < piece.inner; k++, from += layer.units, to += piece.rows) {
            for (int64_t r = 0; r < piece.rows; r += lanes<T>) store(to + r, load(from + r));
            __builtin_prefetch(from + piece.rows + lanes<T>, 0, 2);  // of the next block, while this one is multiplied
        }
        piece.row_step = 1;
        piece.step = piece.rows;
    };
    const auto product = [&](const Panel<T>& at) {
        Product<T> p = weighing(layer, at.f(i), at.width, at.f(i + 1));
        if (i == 0 && c.column_bits) {
            p.offsets = at.offsets();
            p.counts = at.counts();
        }
        return p;
    };
    multiply_tile(c, tile, copy, product, [&](const Panel<T>& at) { return at.f(i + 1); });
    for (int64_t panel = tile.first_panel; panel < tile.first_panel + tile.panels; panel++) {
        const Panel<T> at(c, panel);
        const int64_t numbers = units * at.width, place = first * at.width;
        T *const f = at.f(i + 1) + place, *const slopes = at.slopes(i) + place;
        if (i + 1 == c.depth) __builtin_memcpy(at.z() + place, f, sizeof(T) * numbers);
        activate<T>(layer, units, f, slopes, at.width);
        if (const T* const mask = back ? at.mask(i) : nullptr)
            for (int64_t k = 0; k < numbers; k += lanes<T>) {
                store(f + k, load(f + k) * load(mask + place + k));
                store(slopes + k, load(slopes + k) * load(mask + place + k));
            }
        if (first + units == layer.units) ones(f + numbers, at.width);
    }
}

// ℒ of the outputs z_L and f_L; δ_L takes the place of the slopes.
template <class T> T output(const Chunk<T>& c, int64_t panel, T* y) {
    const Panel<T> at(c, panel);
    const Layer<T>& layer = c.layers[c.depth - 1];
    const int64_t* const order = c.order + at.begin;
    T* const slopes = at.slopes(c.depth - 1);
    gather<T>([&](int64_t r) { return c.y + order[r] * layer.units; }, at.rows, layer.units, y, at.width);
    Vec<T> loss = {};
    for (int64_t w = 0; w < at.width; w += lanes<T>) {
        Vec<T> share = all<T>(c.scale);
        if (c.weights) {
            T weights[lanes<T>] = {};
            for (int64_t r = 0; r < lanes<T> && w + r < at.rows; r++) weights[r] = c.weights[order[w + r]];
            share *= load(weights);
        }
        const Outputs<T> o = {y + w,       at.z() + w, at.f(c.depth) + w, slopes + w,
                              layer.units, at.width,   c.loss_parameter};
        const Vec<T> of_rows = loss_of_rows<T>(c.loss, layer.activation, o, share / c.divisor);
        const Integers<T> valid_lanes = lane_numbers<T>() < decltype(lane_numbers<T>()[0] + 0)(at.rows - w);
        loss += valid_lanes ? of_rows / c.divisor * share : Vec<T>{};  // what stands in the other lanes may be NaN
        if (at.rows < w + lanes<T>)
            for (int64_t j = 0; j < layer.units; j++) {
                T* const delta = slopes + j * at.width + w;
                store(delta, valid_lanes ? load(delta) : Vec<T>{});
            }
    }
    return sum<T>(loss);
}

// The number of a layer's last units, at most four, whose gradient is summed over lanes because they would fill no more
// than half of a vector.
template <class T> int64_t leftover_units(const Layer<T>& layer) {
    if (layer.units <= 4 && layer.units <= lanes<T>) return layer.units;
    const int64_t rest = layer.units % lanes<T>;
    return rest <= 4 && rest <= lanes<T> / 2 ? rest : 0;
}

template <class T> void pack_errors(const Chunk<T>& c, int64_t i, int64_t panel) {
    const Panel<T> at(c, panel);
    const int64_t units = c.layers[i].units - leftover_units(c.layers[i]);
    if (units) unload_packed<T>(at.slopes(i), units, at.width, at.errors(i));
}

// δᵢ₋₁ = (δᵢWᵢᵀ) ⊙ f′(zᵢ₋₁)
template <class T> void back(const Chunk<T>& c, const Tile& tile) {
    const int64_t i = tile.layer;
    const Layer<T>& layer = c.layers[i];
    const auto copy = [&](Piece<T>& piece) {
        for (int64_t r = 0; r < piece.rows; r++)
            __builtin_memcpy(piece.numbers + r * piece.inner, layer.theta + (piece.row + r) * layer.units + piece.k,
                             sizeof(T) * piece.inner);
        piece.row_step = piece.inner;
        piece.step = 1;
    };
    const auto product = [&](const Panel<T>& at) {
        T* const slopes = at.slopes(i - 1);
        return Product<T>{layer.inputs, at.width, layer.units, layer.theta, layer.units, 1,
                          at.slopes(i), at.width, slopes,      at.width,    nullptr,     slopes};
    };
    multiply_tile(c, tile, copy, product, [&](const Panel<T>& at) { return at.errors(i - 1); });
}

template <class T> T pass(const Chunk<T>& c, int64_t panel, bool with_back, T* y) {
    load_panel(c, panel);
    for (int64_t i = 0; i < c.depth; i++) forward(c, {i, panel}, with_back);
    const T loss = output(c, panel, y);
    if (!with_back) return loss;
    for (int64_t i = c.depth - 1; i > 0; i--) {
        pack_errors(c, i, panel);
        back(c, {i, panel});
    }
    pack_errors(c, 0, panel);
    return loss;
}

}  // namespace chainrule::CHAINRULE_ISA
