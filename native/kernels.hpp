// What is compiled once for every instruction set, and chosen from when the program runs.
#pragma once

#include <cstdint>

namespace chainrule {

inline constexpr const char* activation_names[] = {"identity", "tanh",      "logistic", "relu",     "leaky_relu",
                                                   "elu",      "selu",      "gelu",     "gelu_tanh", "silu",
                                                   "softplus", "softsign",  "sin",      "exponential", "softmax"};
inline constexpr const char* function_names[] = {"exp", "expm1", "log", "tanh", "logistic",
                                                 "erf", "sin",   "cos", "softplus"};

inline constexpr const char* loss_names[] = {"squared_error", "absolute_error", "huber",         "log_cosh",
                                             "quantile",      "poisson",        "cross_entropy", "binary_cross_entropy"};
inline constexpr const char* optimizer_names[] = {"sgd", "adam", "adamw", "rmsprop", "adagrad", "rprop"};

// Rows that go through all layers together, so that what they leave stays in the first caches.
constexpr int64_t tile_rows = 48;

// One layer as the kernels see it: W (inputs × stride) and b (stride), padded with zeros to whole vectors.
template <class T> struct Layer {
    int64_t inputs, units, stride;
    const T* weights;
    const T* bias;
    int activation;
    T parameter;
};

// One tile of a batch on its way forward and back. A layer's arrays are rows × its stride; what stands for each layer
// is counted from 0.
template <class T> struct Tile {
    const Layer<T>* layers;
    int64_t depth, rows;
    int loss;
    T loss_parameter, divisor;     // of the row's loss: how many outputs it is the mean over, or 1
    const T *x, *y, *shares;       // x is rows × inputs; shares are the rows' parts of the batch
    const T* const* masks;         // by what f is multiplied on its way on, null without dropout
    const T* const* transposed;    // Wᵀ, units × the stride of the layer before
    T* const* f;
    T* const* slopes;
    T* const* gradients;           // (inputs + 1) × stride, the last row for the bias
    T *z_of_output, *delta, *delta_before;
    const T* zeros;                // as long as the widest layer
    bool first;                    // of its batch: the gradient begins with it
};

// One step's settings of an optimiser: c in the order in which its Python class lists them after the learning rate.
template <class T> struct Step {
    T rate, c[4];
    T correction1, correction2;  // 1 − βᵗ of Adam's two means
};

template <class T> struct Kernels {
    int lanes;
    // f_L of `rows` rows of x (rows × inputs), left in one of the two halves of `scratch`, each of tile_rows times
    // the largest stride; returns which. At most tile_rows rows.
    const T* (*forward)(const Layer<T>* layers, int64_t depth, const T* x, int64_t rows, T* scratch);
    // Forward and back: adds to the gradient and returns the part of the loss.
    T (*pass)(const Tile<T>& tile);
    // g ← g + l1 sign w + l2 w over n numbers; returns 0, or NaN where g is not finite.
    T (*penalise)(T* g, const T* w, int64_t n, T l1, T l2);
    // One step of one of `optimizer_names` with the gradient scale · g; returns 0, or NaN where a number is not finite.
    T (*update)(int optimizer, T* theta, const T* g, T* first, T* second, int64_t n, T scale, const Step<T>& step);
    // One of `function_names` of n numbers, n a whole number of vectors.
    void (*function)(int which, const T* x, T* result, int64_t n);
};

struct InstructionSet {
    const char* name;
    bool (*runs_here)();
    const Kernels<float>& (*of_float)();
    const Kernels<double>& (*of_double)();
};

}  // namespace chainrule
