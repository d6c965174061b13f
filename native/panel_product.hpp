// Products of a weight matrix with one panel, and so small that dividing them into blocks would not pay.
#pragma once

#include "matrix.hpp"
#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// C (R × width) = A B, or (A B) ⊙ C: A is R × inner, B inner × width, and the width is V vectors.
template <class T, int V, int R>
void few_rows(const T* a, int64_t row_step, int64_t step, const T* b, int64_t inner, T* c, bool times_c) {
    Vec<T> sums[R][V] = {};
    for (int64_t n = 0; n < inner; n++)
#pragma GCC unroll 4
        for (int r = 0; r < R; r++)
#pragma GCC unroll 2
            for (int v = 0; v < V; v++) sums[r][v] += a[r * row_step + n * step] * load(b + (n * V + v) * lanes<T>);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int v = 0; v < V; v++) {
            T* const to = c + (r * V + v) * lanes<T>;
            store(to, times_c ? sums[r][v] * load(to) : sums[r][v]);
        }
}
template <class T, int V>
void panel_product(int64_t rows, const T* a, int64_t row_step, int64_t step, const T* b, int64_t inner, T* c,
                   bool times_c) {
    int64_t r = 0;
    const auto take = [&]<int R>() {
        few_rows<T, V, R>(a + r * row_step, row_step, step, b, inner, c + r * V * lanes<T>, times_c);
        r += R;
    };
    // NOLINTNEXTLINE(bugprone-infinite-loop): `take` moves r
    while (r + 4 <= rows) take.template operator()<4>();
    if (r + 2 <= rows) take.template operator()<2>();
    if (r < rows) take.template operator()<1>();
}

// A whole product with one panel, which is B; C lies as B does, nothing is added, and F, if there is one, is C. With a
// long inner dimension, or where much of it is left out, it goes piece by piece, for which `partial` is as in piece_of.
template <class T> void multiply_at_once(const Product<T>& p, T* partial) {
    if (p.inner <= inner_at_once && !(p.offsets && pays_to_skip(p.inner, p.counts[0])))
        return (p.columns == lanes<T> ? panel_product<T, 1> : panel_product<T, 2>)(p.rows, p.a, p.row_step, p.step, p.b,
                                                                                   p.inner, p.c, p.times);
    in_pieces(p.inner, [&](int64_t k, int64_t inner) { multiply(piece_of(p, k, inner, partial)); });
}

}  // namespace chainrule::CHAINRULE_ISA
