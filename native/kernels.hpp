// What is compiled once for every instruction set, and chosen from when the program runs.
#pragma once

#include <cstdint>

namespace chainrule {

inline constexpr const char* activation_names[] = {"identity", "tanh",      "logistic", "relu",     "leaky_relu",
                                                   "elu",      "selu",      "gelu",     "gelu_tanh", "silu",
                                                   "softplus", "softsign",  "sin",      "exponential", "softmax"};
inline constexpr const char* function_names[] = {"exp", "expm1", "log", "tanh", "logistic",
                                                 "erf", "sin",   "cos", "softplus"};

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

template <class T> struct Kernels {
    int lanes;
    // f_L of `rows` rows of x (rows × inputs), left in one of the two halves of `scratch`, each of tile_rows times
    // the largest stride; returns which. At most tile_rows rows.
    const T* (*forward)(const Layer<T>* layers, int64_t depth, const T* x, int64_t rows, T* scratch);
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
