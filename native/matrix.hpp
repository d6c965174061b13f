// The one matrix product that everything is made of: C = C₀ + A B, in blocks of C that stay in registers.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// How many rows of A a block has when it is J vectors wide: as many as the registers hold beside B's row.
constexpr int registers = vector_bytes == 64 ? 32 : 16;
template <int J> constexpr int block_rows = J == 1 ? 8 : (registers - J - 1) / J;

// An R × (J vectors) block of C. A's element (r, k) is a[r · row_step + k · step]; B's and C's rows are b_stride and
// c_stride apart. C₀'s rows are start_stride apart: 0 adds one row, a bias, to every row.
template <class T, int R, int J>
inline void block(int64_t inner, const T* a, int64_t row_step, int64_t step, const T* b, int64_t b_stride,
                  const T* start, int64_t start_stride, T* c, int64_t c_stride) {
    // Unrolled in full, since only then does the compiler keep the sums in registers.
    Vec<T> sums[R][J];
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int j = 0; j < J; j++) sums[r][j] = load(start + r * start_stride + j * lanes<T>);
    for (int64_t k = 0; k < inner; k++) {
        Vec<T> row[J];
#pragma GCC unroll 4
        for (int j = 0; j < J; j++) row[j] = load(b + k * b_stride + j * lanes<T>);
#pragma GCC unroll 16
        for (int r = 0; r < R; r++) {
            const Vec<T> one = all<T>(a[r * row_step + k * step]);
#pragma GCC unroll 4
            for (int j = 0; j < J; j++) sums[r][j] += one * row[j];
        }
    }
#pragma GCC unroll 16
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int j = 0; j < J; j++) store(c + r * c_stride + j * lanes<T>, sums[r][j]);
}

// Blocks of J vectors' width and R rows, then what is left over in blocks of half as many.
template <class T, int R, int J>
inline void column(int64_t rows, int64_t inner, const T* a, int64_t row_step, int64_t step, const T* b,
                   int64_t b_stride, const T* start, int64_t start_stride, T* c, int64_t c_stride) {
    int64_t r = 0;
    for (; r + R <= rows; r += R)
        block<T, R, J>(inner, a + r * row_step, row_step, step, b, b_stride, start + r * start_stride, start_stride,
                       c + r * c_stride, c_stride);
    if constexpr (R > 1)
        if (r < rows)
            column<T, R / 2, J>(rows - r, inner, a + r * row_step, row_step, step, b, b_stride,
                                start + r * start_stride, start_stride, c + r * c_stride, c_stride);
}

// C (rows × columns) = C₀ + A (rows × inner) B (inner × columns); columns is a whole number of vectors.
template <class T>
inline void multiply(int64_t rows, int64_t columns, int64_t inner, const T* a, int64_t row_step, int64_t step,
                     const T* b, int64_t b_stride, const T* start, int64_t start_stride, T* c, int64_t c_stride) {
    for (int64_t j = 0; j < columns;) {
        const int64_t left = (columns - j) / lanes<T>;
        const int64_t width = left == 1 ? 1 : left == 2 || left == 4 ? 2 : 3;  // no column of one vector that can be helped
        const auto multiply_column = width == 1   ? column<T, block_rows<1>, 1>
                                     : width == 2 ? column<T, block_rows<2>, 2>
                                                  : column<T, block_rows<3>, 3>;
        multiply_column(rows, inner, a, row_step, step, b + j, b_stride, start + j, start_stride, c + j, c_stride);
        j += width * lanes<T>;
    }
}

}  // namespace chainrule::CHAINRULE_ISA
