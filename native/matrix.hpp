// The one matrix product that everything is made of, in blocks of C that stay in registers (the micro-kernel).
#pragma once

#include <utility>

#include "kernels.hpp"
#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// A block is two vectors wide, and has as many rows as the registers hold beside B's row and one element of A.
constexpr int block_vectors = 2;
constexpr int block_rows = vector_bytes == 64 ? 14 : 6;

// Rows are divided into as few blocks as there can be, and these of equal height: a low one would wait for its own
// sums.
struct Division {
    int64_t blocks = 1, height, higher = 0;
    explicit Division(int64_t rows) : height(rows) {
        if (rows <= block_rows) return;  // a division takes long beside a small product
        blocks = (rows + block_rows - 1) / block_rows;
        height = rows / blocks;
        higher = rows % blocks;
    }
    int64_t rows_of(int64_t block) const { return height + (block < higher); }
    int64_t row_of(int64_t block) const { return height * block + (block < higher ? block : higher); }
};

// C (rows × columns) = (D + Σ_s A_s B_s) ⊙ F. D and F lie as C does, and may be C; without them there is nothing to
// add, or to multiply by. Element (r, k) of A is a[r · row_step + k · step], and the rows of B and C are b_stride and
// c_stride apart; columns is a whole number of vectors. The sum over segments is one sum over a longer inner dimension
// that lies in pieces: s moves a and b by their advances; the last segment has its own length and row step.
template <class T> struct Product {
    int64_t rows, columns, inner;
    const T* a;
    int64_t row_step, step;
    const T* b;
    int64_t b_stride;
    T* c;
    int64_t c_stride;
    const T *add = nullptr, *times = nullptr;  // D and F
    int64_t first_block = 0, blocks = 0;       // of the rows; 0 for all
    int64_t first_row = 0;                     // of A
    // Not 0 where B is packed: block after block of its columns, in each of which the rows, so many, lie together.
    int64_t packed_rows = 0;
    int64_t segments = 1, a_advance = 0, b_advance = 0, last_inner = 0, last_row_step = 0;
    // Not null where only some of a piece's elements of the inner dimension are summed over: their offsets, piece
    // after piece, and their counts.
    const Offset* offsets = nullptr;
    const int64_t* counts = nullptr;
};

template <class T, int R, int J, bool some>
void block(const Product<T>& p, int64_t row, const T* b_begin, int64_t b_stride, int64_t place) {
    // Unrolled in full, since only then does the compiler keep the sums in registers.
    Vec<T> sums[R][J];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int j = 0; j < J; j++) sums[r][j] = p.add ? load(p.add + place + r * p.c_stride + j * lanes<T>) : Vec<T>{};
    int64_t inner = p.inner, row_step = p.row_step;
    const int64_t step = p.step;
    for (int64_t s = 0; s < p.segments; s++) {
        if (p.segments > 1 && s + 1 == p.segments) {
            inner = p.last_inner;
            row_step = p.last_row_step;
        }
        const T *a = p.a + s * p.a_advance + row * row_step, *b = b_begin + s * p.b_advance;
#pragma GCC unroll 2
        for (int64_t n = 0; n < inner; n++) {
            const int64_t k = some ? p.offsets[n] : n;
            Vec<T> of_b[J];
#pragma GCC unroll 2
            for (int j = 0; j < J; j++) of_b[j] = load(b + k * b_stride + j * lanes<T>);
#pragma GCC unroll 16
            for (int r = 0; r < R; r++) {
                const Vec<T> of_a = all<T>(a[r * row_step + k * step]);
#pragma GCC unroll 2
                for (int j = 0; j < J; j++) sums[r][j] += of_a * of_b[j];
            }
        }
    }
    if (p.times)
#pragma GCC unroll 16
        for (int r = 0; r < R; r++)
#pragma GCC unroll 2
            for (int j = 0; j < J; j++) sums[r][j] *= load(p.times + place + r * p.c_stride + j * lanes<T>);
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 2
        for (int j = 0; j < J; j++) store(p.c + place + r * p.c_stride + j * lanes<T>, sums[r][j]);
}

template <class T> using BlockFunction = void (*)(const Product<T>&, int64_t, const T*, int64_t, int64_t);
template <class T, int J, bool some, int... R>
constexpr void fill(BlockFunction<T>* functions, std::integer_sequence<int, R...>) {
    ((functions[R] = block<T, R + 1, J, some>), ...);
}
template <class T, int J, bool some> struct Blocks {
    BlockFunction<T> of_rows[block_rows];  // less one
    constexpr Blocks() : of_rows{} { fill<T, J, some>(of_rows, std::make_integer_sequence<int, block_rows>{}); }
};

template <class T> inline void multiply(const Product<T>& p) {
    static constexpr Blocks<T, 1, false> one_vector;
    static constexpr Blocks<T, block_vectors, false> two_vectors;
    static constexpr Blocks<T, 1, true> one_vector_of_some;
    static constexpr Blocks<T, block_vectors, true> two_vectors_of_some;
    const Division division(p.rows);
    const int64_t end = p.blocks ? p.first_block + p.blocks : division.blocks;
    for (int64_t column = 0; column < p.columns;) {
        const bool is_single = p.columns - column == lanes<T>;
        const auto* const functions = p.offsets ? (is_single ? one_vector_of_some.of_rows : two_vectors_of_some.of_rows)
                                                : (is_single ? one_vector.of_rows : two_vectors.of_rows);
        const int64_t width = (is_single ? 1 : block_vectors) * lanes<T>;
        const T* const b = p.b + (p.packed_rows ? column * p.packed_rows : column);
        const int64_t b_stride = p.packed_rows ? width : p.b_stride;
        for (int64_t i = p.first_block; i < end; i++) {
            const int64_t row = division.row_of(i), rows = division.rows_of(i);
            functions[rows - 1](p, p.first_row + row, b, b_stride, row * p.c_stride + column);
        }
        column += width;
    }
}

// The part of a product that is made of `inner` elements of the inner dimension from k on, or of some of them. What is
// summed up before the last of them stays in `partial`, which lies as C does, and may be C where there is no F.
template <class T> inline Product<T> piece_of(Product<T> p, int64_t k, int64_t inner, T* partial) {
    if (k + inner < p.inner) {
        p.c = partial;
        p.times = nullptr;
    }
    p.inner = inner;
    if (p.offsets) {
        const int64_t count = p.counts[k / inner_at_once];
        p.offsets = pays_to_skip(inner, count) ? p.offsets + k : nullptr;
        if (p.offsets) p.inner = count;
    }
    p.a += k * p.step;
    p.b += k * p.b_stride;
    p.add = k ? partial : nullptr;
    return p;
}

// Calls use(k, inner) for pieces of an inner dimension.
template <class Use> inline void in_pieces(int64_t inner, Use use) {
    for (int64_t k = 0; k < inner; k += inner_at_once) use(k, inner - k < inner_at_once ? inner - k : inner_at_once);
}

// C[r][j] = Σ over all lanes and vectors of A's row r times B's row j, or adds that: for so few rows of B (J) that
// lanes would be left empty in a product. As in a product, the sum over panels is one sum; their rows are inner, or in
// the last last_inner, numbers long, in whole vectors; of B, those from row `first` on. The sums are taken in as many
// vectors as these have lanes, or twice as many if registers suffice, which become one or two by transposition.
template <class T, int J> void sums_over_lanes(const Product<T>& p, int64_t first) {
    constexpr int R = lanes<T> / J, times = 2 * lanes<T> <= (vector_bytes == 64 ? 16 : 8) ? 2 : 1;
    const bool add = p.add;
    for (int64_t row = 0; row < p.rows; row += times * R) {
        Vec<T> sums[times][lanes<T>] = {};
        const int64_t here = p.rows - row < times * R ? p.rows - row : times * R;
        for (int64_t s = 0; s < p.segments; s++) {
            const int64_t width = s + 1 < p.segments ? p.inner : p.last_inner;
            const T* const of_a = p.a + s * p.a_advance + (p.first_row + row) * width;
            const T* const of_b = p.b + s * p.b_advance + first * width;
            for (int64_t w = 0; w < width; w += lanes<T>) {
                Vec<T> y[J];
#pragma GCC unroll 4
                for (int j = 0; j < J; j++) y[j] = load(of_b + j * width + w);
#pragma GCC unroll 16
                for (int r = 0; r < times * R; r++) {
                    const Vec<T> x = load(of_a + (r < here ? r : 0) * width + w);
#pragma GCC unroll 4
                    for (int j = 0; j < J; j++) sums[r / R][r % R * J + j] += x * y[j];
                }
            }
        }
        for (int64_t k = 0; k * R < here; k++) {
            const Vec<T> all_sums = sums_of<T>(sums[k]);
            T* const to = p.c + (row + k * R) * p.c_stride;
            const int64_t left = p.rows - row - k * R;
            // The vector may end in zeros, where the next rows' sums will be; after the last there is no room for them.
            if (p.c_stride == J && left * J >= lanes<T>)
                store(to, add ? load(to) + all_sums : all_sums);
            else
                for (int64_t r = 0; r < R && r < left; r++)
                    for (int j = 0; j < J; j++)
                        to[r * p.c_stride + j] = all_sums[r * J + j] + (add ? to[r * p.c_stride + j] : T(0));
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
