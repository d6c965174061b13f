// The one matrix product that everything is made of, in blocks of C that stay in registers (the micro-kernel).
#pragma once

#include <utility>

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// C (rows × columns) = Σ_s A_s B_s, added to C where `add` says so. Element (r, k) of A is a[r · row_step + k · step],
// and the rows of B and C are b_stride and c_stride apart; columns is a whole number of vectors. The sum over segments
// is one sum over a longer inner dimension that lies in pieces: s moves a and b by their advances; the last segment has
// its own length and row step.
template <class T> struct Product {
    int64_t rows, columns, inner;
    const T* a;
    int64_t row_step, step;
    const T* b;
    int64_t b_stride;
    T* c;
    int64_t c_stride;
    bool add = false;
    int64_t first_row = 0;  // of A
    // Not 0 where A is packed, over an inner dimension so long: block after block of its rows, in each of which the
    // elements of one k lie together. The product begins with element first_k.
    int64_t packed_inner = 0, first_k = 0;
    int64_t segments = 1, a_advance = 0, b_advance = 0, last_inner = 0, last_row_step = 0;
};

// A block is two vectors wide, and has as many rows as the registers hold beside B's row and one element of A.
constexpr int block_vectors = 2;
constexpr int block_rows = vector_bytes == 64 ? 14 : 6;

template <class T, int R, int J> void block(const Product<T>& p, int64_t row, int64_t column) {
    T* const c = p.c + row * p.c_stride + column;
    // Unrolled in full, since only then does the compiler keep the sums in registers.
    Vec<T> sums[R][J];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int j = 0; j < J; j++) sums[r][j] = p.add ? load(c + r * p.c_stride + j * lanes<T>) : Vec<T>{};
    const int64_t b_stride = p.b_stride, step = p.step;
    for (int64_t s = 0; s < p.segments; s++) {
        const bool last = p.segments > 1 && s + 1 == p.segments;
        const int64_t inner = last ? p.last_inner : p.inner, row_step = last ? p.last_row_step : p.row_step;
        const T *a = p.a + s * p.a_advance + (p.first_row + row) * row_step, *b = p.b + s * p.b_advance + column;
        for (int64_t k = 0; k < inner; k++) {
            Vec<T> of_b[J];
#pragma GCC unroll 2
            for (int j = 0; j < J; j++) of_b[j] = load(b + k * b_stride + j * lanes<T>);
#pragma GCC unroll 16
            for (int r = 0; r < R; r++) {
                const Vec<T> one = all<T>(a[r * row_step + k * step]);
#pragma GCC unroll 2
                for (int j = 0; j < J; j++) sums[r][j] += one * of_b[j];
            }
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int j = 0; j < J; j++) store(c + r * p.c_stride + j * lanes<T>, sums[r][j]);
}

template <class T> using BlockFunction = void (*)(const Product<T>&, int64_t, int64_t);
template <class T, int J, int... R> constexpr void fill(BlockFunction<T>* functions, std::integer_sequence<int, R...>) {
    ((functions[R] = block<T, R + 1, J>), ...);
}
template <class T, int J> struct Blocks {
    BlockFunction<T> of_rows[block_rows];  // less one
    constexpr Blocks() : of_rows{} { fill<T, J>(of_rows, std::make_integer_sequence<int, block_rows>{}); }
};

// Rows are divided into as few blocks as there can be, and these of equal height: a low one would wait for its own sums.
struct Division {
    int64_t blocks, height, higher;
    explicit Division(int64_t rows)
        : blocks((rows + block_rows - 1) / block_rows), height(rows / blocks), higher(rows % blocks) {}
    int64_t rows_of(int64_t block) const { return height + (block < higher); }
    int64_t row_of(int64_t block) const { return height * block + (block < higher ? block : higher); }
};

template <class T> inline void multiply(const Product<T>& p) {
    static constexpr Blocks<T, 1> narrow;
    static constexpr Blocks<T, block_vectors> wide;
    const Division division(p.rows);
    Product<T> packed = p;
    packed.row_step = 1;
    for (int64_t column = 0; column < p.columns;) {
        const bool one = p.columns - column == lanes<T>;
        const auto& functions = one ? narrow.of_rows : wide.of_rows;
        for (int64_t i = 0; i < division.blocks; i++) {
            const int64_t row = division.row_of(i), rows = division.rows_of(i);
            if (p.packed_inner) {
                packed.step = rows;
                packed.a = p.a + row * (p.packed_inner - 1) + p.first_k * rows;  // block() adds the row
            }
            functions[rows - 1](p.packed_inner ? packed : p, row, column);
        }
        column += (one ? 1 : block_vectors) * lanes<T>;
    }
}

// B is used once for every block of rows: pieces of it that fit the first cache are used up one after the other.
constexpr int64_t piece_bytes = 24576;
template <class T> inline void multiply_in_pieces(Product<T> p) {
    const int64_t inner = p.inner, most = piece_bytes / (p.columns * int64_t(sizeof(T)));
    const T *a = p.a, *b = p.b;
    for (int64_t k = 0; k < inner || k == 0; k += most) {
        p.inner = inner - k < most ? inner - k : most;
        p.a = p.packed_inner ? a : a + k * p.step;
        p.first_k = k;
        p.b = b + k * p.b_stride;
        multiply(p);
        p.add = true;
    }
}

}  // namespace chainrule::CHAINRULE_ISA
