// What is compiled once for every instruction set, and chosen from when the program runs.
#pragma once

#include <cstdint>
#include <type_traits>

#include "names.hpp"

namespace chainrule {

// B of a product is used once for every block of A's rows: so many of its rows, two vectors wide, leave room for A in
// the first cache. Longer inner dimensions are taken in pieces.
constexpr int64_t inner_at_once = 192;
using Offset = uint8_t;  // in a piece
static inline int64_t pieces(int64_t inner) { return (inner + inner_at_once - 1) / inner_at_once; }

template <class T> using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;  // of a number
// No function that is not `static` here: it would be shared by code for different instruction sets.
template <class T> static bool is_zero(Bits<T> bits) { return bits << 1 == 0; }  // 0 or −0
// Whether skipping zeros pays when `count` of `all` numbers are not 0.
static inline bool pays_to_skip(int64_t all, int64_t count) { return count <= all - all / 16; }

// One layer as the kernels see it: W (inputs × units) and below it b where there is one, as in the flat vector.
template <class T> struct Layer {
    int64_t inputs, units;
    int64_t rows;     // of W and b together: inputs, or one more
    int64_t columns;  // the units in whole vectors
    const T* theta;
    ActivationName activation;
    T parameter;
};

// Rows of a batch that go forward and back before their gradient is taken, in panels: as many rows as two vectors have
// lanes, one lane for each. Of a panel with rows in `width` lanes (whole vectors), fᵢ is (dᵢ + 1) × width with ones in
// its last row, which stand for the bias; z_L, f′(zᵢ), whose place δᵢ takes, and masks are dᵢ × width; δᵢᵀ is width ×
// dᵢ in whole vectors, packed as matrix.hpp says, and not set for layers whose gradient is summed over lanes. Panel p's
// numbers begin p · panel_rows · (dᵢ + 1), and so on, after those of panel 0.
//
// Where x has columns that are 0 in all rows of a panel, as images and counts have, z₁ is summed over the others; and
// where they are 0 in all rows of a chunk, the gradient of the others is taken, for which they become the first rows of
// f₀.
template <class T> struct Chunk {
    const Layer<T>* layers;
    int64_t depth, rows;
    const T *x, *y, *weights;  // the data, row by row; no weights where all are 1
    const int64_t* order;      // which of its rows
    int64_t rows_ahead;        // how many more of them come soon, after those of the chunk: for prefetching
    T scale;                   // by what their weights are multiplied to be shares of the batch
    LossName loss;
    T loss_parameter, divisor;  // of the row's loss: how many outputs it is the mean over, or 1
    T* const* f;                // from f₀ = x on
    T* z;                       // z_L
    T* const* slopes;
    T* const* masks;   // by what fᵢ is multiplied on its way on; null without dropout
    T* const* errors;  // δᵢᵀ
    // Of each panel, where it is worth a look (else null): the bitwise OR of each column's numbers; and in each piece
    // of the inner dimension, the offsets of what is not 0, and how many these are.
    Bits<T>* column_bits;
    Offset* offsets;
    int64_t* counts;
    // The rows of f₀ that are not 0, with the ones at the end, which become the first rows; null for none.
    const int64_t* nonzero_columns = nullptr;
    int64_t nonzero_count = 0;
};

// What an optimiser needs for one step; names.hpp has the names of c.
template <class T> struct StepConstants {
    T rate, c[5];
    T adam_rate, adam_epsilon;  // with the corrections of Adam's two means in them
};

// Steps of plain gradient descent, one row each, on a network with one unit in each layer: see chain.hpp.
template <class T> struct Chain {
    int64_t depth;
    bool bias;
    ActivationName activation;  // the same in all layers
    T parameter;
    LossName loss;
    T loss_parameter;
    T* theta;
    const T *x, *y, *weights;  // no weights where all are 1
    const int64_t* order;
    const double* rates;
    int64_t steps;
    T* scratch;  // for 2 · depth numbers
};

// A panel of a chunk in a layer; or some panels in some blocks of its units (forward) or inputs (back), as matrix.hpp
// divides them.
struct Tile {
    int64_t layer, first_panel, panels = 1, first_block = 0, blocks = 0;
};

template <class T> struct Kernels {
    int lanes, panel_rows, block_rows;
    // f_L (rows × d_L) of rows of x (rows × d₀). `scratch` has 4 · panel_rows · (the greatest width + 1) numbers.
    void (*predict)(const Layer<T>* layers, int64_t depth, const T* x, int64_t rows, T* result, T* scratch);
    // A panel forward and, where that is asked for, back; returns its part of the loss. `scratch` is for the panel's y.
    T (*pass)(const Chunk<T>& chunk, int64_t panel, bool back, T* scratch);
    // What a pass is made of: f₀ of a panel; zᵢ and fᵢ; ℒ and δ_L of a panel; δᵢᵀ of a panel; δᵢ₋₁.
    void (*load_panel)(const Chunk<T>& chunk, int64_t panel);
    void (*forward)(const Chunk<T>& chunk, const Tile& tile, bool back);
    T (*output)(const Chunk<T>& chunk, int64_t panel, T* scratch);
    void (*pack_errors)(const Chunk<T>& chunk, int64_t layer, int64_t panel);
    void (*back)(const Chunk<T>& chunk, const Tile& tile);
    // After that, the nonzero columns of a panel become the first rows of its f₀.
    void (*compact_columns)(const Chunk<T>& chunk, int64_t panel);
    // How many of the steps were made before a number was not finite; adds their losses to `total`.
    int64_t (*chain)(const Chain<T>& chain, double& total);
    // Rows `first` … `first + rows − 1` of a layer's gradient, or what a chunk adds to them; `scratch` has rows ·
    // columns.
    void (*gradient)(const Chunk<T>& chunk, int64_t layer, int64_t first, int64_t rows, bool add, T* gradient,
                     T* scratch);
    // A chunk of one panel forward and back, and the gradient of all layers, whose parts begin at `begins`: for layers
    // so narrow that calls would take longer than products, without dropout. Returns the loss; `scratch` is as for
    // both.
    T (*narrow)(const Chunk<T>& chunk, const int64_t* begins, T* gradient, T* scratch);
    // g ← g + h over n numbers, n a whole number of vectors, as below.
    void (*add)(T* g, const T* h, int64_t n);
    // g ← g + l1 sign w + l2 w over n numbers, any n; returns l1 Σ|w| + ½ l2 Σw².
    T (*penalise)(T* g, const T* w, int64_t n, T l1, T l2);
    // One step of an optimiser with the gradient scale · g; returns 0, or NaN where a number is not finite.
    T (*update)(OptimizerName optimizer, T* theta, const T* g, T* first, T* second, int64_t n, T scale,
                const StepConstants<T>& step);
    // n weighted inputs become activations in their place, by any activation but softmax, with f′(z) in `slopes`
    // where that is asked for; n is a whole number of vectors.
    void (*activate)(ActivationName activation, T parameter, T* f, T* slopes, int64_t n);
    // A function of n numbers, n a whole number of vectors.
    void (*function)(FunctionName name, const T* x, T* result, int64_t n);
};

struct InstructionSet {
    const char* name;
    bool (*runs_here)();
    const Kernels<float>& (*of_float)();
    const Kernels<double>& (*of_double)();
};

}  // namespace chainrule
