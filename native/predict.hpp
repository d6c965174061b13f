// Predictions: rows through all layers, without slopes.
#pragma once

#include "panel_product.hpp"
#include "panels.hpp"

namespace chainrule::CHAINRULE_ISA {

// A few rows, one after the other in a row's layout, where lanes would be left empty in a panel. `scratch` has three
// parts, of which softmax has the last, since it reads f from either of the others: rows are at most half a vector's
// lanes, so each of the first two takes lanes / 2 · widest numbers, and the last lanes · widest.
template <class T>
void predict_few(const Layer<T>* layers, int64_t depth, int64_t widest, const T* x, int64_t rows, T* result,
                 T* scratch) {
    T* halves[2] = {scratch, scratch + rows * widest};
    const T* f = x;
    int64_t f_stride = layers[0].inputs;
    for (int64_t i = 0; i < depth; i++) {
        const Layer<T>& layer = layers[i];
        T* const z = halves[i % 2];
        const int64_t columns = layer.columns;
        for (int64_t r = 0; r < rows; r++)  // begins with the bias, or with 0
            for (int64_t j = 0; j < columns; j += lanes<T>)
                store(z + r * columns + j,
                      layer.rows > layer.inputs ? load(layer.theta + layer.inputs * layer.units + j) : Vec<T>{});
        multiply<T>({rows, columns, layer.inputs, f, f_stride, 1, layer.theta, layer.units, z, columns, z});
        if (layer.activation != ActivationName::softmax)
            activate<T>(layer.activation, layer.parameter, z, nullptr, rows * columns);
        f = z;
        f_stride = columns;
    }
    const Layer<T>& last = layers[depth - 1];
    T* const lane_by_lane = scratch + 2 * rows * widest;
    if (last.activation == ActivationName::softmax) {
        for (int64_t j = 0; j < last.units; j++)
            for (int64_t r = 0; r < lanes<T>; r++)
                lane_by_lane[j * lanes<T> + r] = r < rows ? f[r * f_stride + j] : T(0);
        softmax<T>(lane_by_lane, last.units, lanes<T>);
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < last.units; j++)
            result[r * last.units + j] =
                last.activation == ActivationName::softmax ? lane_by_lane[j * lanes<T> + r] : f[r * f_stride + j];
}

template <class T>
void predict(const Layer<T>* layers, int64_t depth, const T* x, int64_t rows, T* result, T* scratch) {
    int64_t widest = layers[0].inputs;
    for (int64_t i = 0; i < depth; i++) widest = layers[i].columns > widest ? layers[i].columns : widest;
    T* const halves[2] = {scratch, scratch + panel_rows<T> * (widest + 1)};
    const int64_t inputs = layers[0].inputs, outputs = layers[depth - 1].units;
    for (int64_t begin = 0; begin < rows; begin += panel_rows<T>) {
        const int64_t count = rows - begin < panel_rows<T> ? rows - begin : panel_rows<T>;
        if (count <= lanes<T> / 2) {
            predict_few<T>(layers, depth, widest, x + begin * inputs, count, result + begin * outputs, scratch);
            continue;
        }
        const int64_t width = whole_vectors<T>(count);
        T* f = halves[0];
        gather<T>([&](int64_t r) { return x + (begin + r) * inputs; }, count, inputs, f, width);
        ones(f + inputs * width, width);
        for (int64_t i = 0; i < depth; i++) {
            const Layer<T>& layer = layers[i];
            T* const z = halves[(i + 1) % 2];
            multiply_at_once(weighing(layer, f, width, z), z);
            activate<T>(layer, layer.units, z, nullptr, width);
            ones(z + layer.units * width, width);
            f = z;
        }
        for (int64_t j = 0; j < outputs; j++)
            for (int64_t r = 0; r < count; r++) result[(begin + r) * outputs + j] = f[j * width + r];
    }
}

}  // namespace chainrule::CHAINRULE_ISA
