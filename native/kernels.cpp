// Compiled once for each instruction set, with CHAINRULE_ISA and CHAINRULE_VECTOR_BYTES set.
#include "kernels.hpp"

#include "activations.hpp"
#include "chain.hpp"
#include "losses.hpp"
#include "matrix.hpp"
#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> constexpr int64_t panel_rows = block_vectors * lanes<T>;
template <class T> int64_t whole_vectors(int64_t n) { return (n + lanes<T> - 1) / lanes<T> * lanes<T>; }

// Rows of a table (units numbers each) become the lanes of a panel: to is units × width, 0 in lanes without a row.
template <class T, class Row> void gather(Row row_at, int64_t rows, int64_t units, T* to, int64_t width) {
    for (int64_t w = 0; w < width; w += lanes<T>) {
        if (units < lanes<T>) {
            for (int64_t r = w; r < w + lanes<T>; r++) {
                const T* const row = r < rows ? row_at(r) : nullptr;
                for (int64_t j = 0; j < units; j++) to[j * width + r] = row ? row[j] : T(0);
            }
            continue;
        }
        for (int64_t j = 0; j < units; j += lanes<T>) {
            const int64_t first = j + lanes<T> <= units ? j : units - lanes<T>;  // the last go over some once more
            Vec<T> square[lanes<T>];
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) square[k] = w + k < rows ? load(row_at(w + k) + first) : Vec<T>{};
            transpose<T>(square);
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) store(to + (first + k) * width + w, square[k]);
        }
    }
}

// The lanes of a panel (units × width) become rows, `stride` apart: whole vectors of units, padded with zeros.
template <class T> void scatter(const T* from, int64_t units, int64_t width, T* to, int64_t stride) {
    for (int64_t w = 0; w < width; w += lanes<T>)
        for (int64_t j = 0; j < units; j += lanes<T>) {
            Vec<T> square[lanes<T>];
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) square[k] = j + k < units ? load(from + (j + k) * width + w) : Vec<T>{};
            transpose<T>(square);
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) store(to + (w + k) * stride + j, square[k]);
        }
}

// zᵢ = fᵢ₋₁Wᵢ + bᵢ: W's columns are A's rows, and the ones below fᵢ₋₁ take in the bias.
template <class T> void weigh(const Layer<T>& layer, const T* f, int64_t width, T* z) {
    Product<T> p = {layer.units, width, layer.rows, layer.theta, 1, layer.units, f, width, z, width};
    if (layer.packed) {
        p.a = layer.packed;
        p.packed_inner = layer.rows;
    }
    multiply_in_pieces(p);
}

template <class T> void pack(const Layer<T>& layer, int64_t block) {
    const Division division(layer.units);
    const int64_t row = division.row_of(block), rows = division.rows_of(block);
    const T* from = layer.theta + row;
    T* to = layer.packed + row * layer.rows;
    for (int64_t k = 0; k + 1 < layer.rows; k++, from += layer.units, to += rows)
        for (int64_t j = 0; j < rows; j += lanes<T>) store(to + j, load(from + j));
    for (int64_t j = 0; j < rows; j++) to[j] = from[j];  // whole vectors would reach into the next block
}

template <class T> void ones(T* to, int64_t width) {
    for (int64_t w = 0; w < width; w += lanes<T>) store(to + w, all<T>(T(1)));
}

// zᵢ becomes fᵢ in its place, with f′(zᵢ) in `slopes` where that is asked for and the units are not taken together.
template <class T> void activate(const Layer<T>& layer, T* f, T* slopes, int64_t width) {
    if (layer.activation == softmax_place) softmax<T>(f, layer.units, width);
    else activate<T>(layer.activation, layer.parameter, f, slopes, layer.units * width);
}

// A few rows, one after the other in a row's layout, where lanes would be left empty in a panel.
template <class T>
void predict_few(const Layer<T>* layers, int64_t depth, int64_t widest, const T* x, int64_t rows, T* result, T* room) {
    T* halves[2] = {room, room + rows * widest};
    const T* f = x;
    int64_t f_stride = layers[0].inputs;
    for (int64_t i = 0; i < depth; i++) {
        const Layer<T>& layer = layers[i];
        T* const z = halves[i % 2];
        const int64_t columns = whole_vectors<T>(layer.units), stride = layer.stride;
        for (int64_t r = 0; r < rows; r++)  // begins with the bias, or with 0
            for (int64_t j = 0; j < columns; j += lanes<T>)
                store(z + r * stride + j, layer.rows > layer.inputs ? load(layer.theta + layer.inputs * layer.units + j) : Vec<T>{});
        multiply<T>({rows, columns, layer.inputs, f, f_stride, 1, layer.theta, layer.units, z, stride, true});
        if (layer.activation != softmax_place) activate<T>(layer.activation, layer.parameter, z, nullptr, rows * stride);
        f = z;
        f_stride = stride;
    }
    const Layer<T>& last = layers[depth - 1];
    T* const lane_by_lane = f == room ? room + rows * widest : room;
    if (last.activation == softmax_place) {
        for (int64_t j = 0; j < last.units; j++)
            for (int64_t r = 0; r < lanes<T>; r++)
                lane_by_lane[j * lanes<T> + r] = r < rows ? f[r * f_stride + j] : T(0);
        softmax<T>(lane_by_lane, last.units, lanes<T>);
    }
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < last.units; j++)
            result[r * last.units + j] =
                last.activation == softmax_place ? lane_by_lane[j * lanes<T> + r] : f[r * f_stride + j];
}

template <class T>
void predict(const Layer<T>* layers, int64_t depth, const T* x, int64_t rows, T* result, T* room) {
    int64_t widest = layers[0].inputs;
    for (int64_t i = 0; i < depth; i++) widest = layers[i].stride > widest ? layers[i].stride : widest;
    T* const halves[2] = {room, room + panel_rows<T> * (widest + 1)};
    T* const by_rows = room + 2 * panel_rows<T> * (widest + 1);
    const int64_t inputs = layers[0].inputs, outputs = layers[depth - 1].units;
    for (int64_t begin = 0; begin < rows; begin += panel_rows<T>) {
        const int64_t count = rows - begin < panel_rows<T> ? rows - begin : panel_rows<T>;
        if (count <= lanes<T> / 2) {
            predict_few<T>(layers, depth, widest, x + begin * inputs, count, result + begin * outputs, room);
            continue;
        }
        const int64_t width = whole_vectors<T>(count);
        T* f = halves[0];
        gather<T>([&](int64_t r) { return x + (begin + r) * inputs; }, count, inputs, f, width);
        ones(f + inputs * width, width);
        for (int64_t i = 0; i < depth; i++) {
            const Layer<T>& layer = layers[i];
            T* const z = halves[(i + 1) % 2];
            weigh(layer, f, width, z);
            activate<T>(layer, z, nullptr, width);
            ones(z + layer.units * width, width);
            f = z;
        }
        const int64_t stride = layers[depth - 1].stride;
        scatter<T>(f, outputs, width, by_rows, stride);
        for (int64_t r = 0; r < count; r++)
            for (int64_t j = 0; j < outputs; j++) result[(begin + r) * outputs + j] = by_rows[r * stride + j];
    }
}

// ℒ of the outputs z_L and f_L; δ_L takes the place of the slopes.
template <class T>
T output(const Chunk<T>& c, int64_t rows, int64_t width, const int64_t* order, const T* y, const T* z, const T* f, T* slopes) {
    const Layer<T>& layer = c.layers[c.depth - 1];
    Vec<T> loss = {};
    for (int64_t w = 0; w < width; w += lanes<T>) {
        Vec<T> share = {};
        for (int64_t r = 0; r < lanes<T> && w + r < rows; r++) share[r] = c.weights[order[w + r]] * c.scale;
        const Outputs<T> o = {y + w, z + w, f + w, slopes + w, layer.units, width, c.loss_parameter};
        const Vec<T> of_rows = loss_of_rows<T>(c.loss, layer.activation, o, share / c.divisor);
        const Integers<T> there = lane_numbers<T>() < decltype(lane_numbers<T>()[0] + 0)(rows - w);
        loss += there ? of_rows / c.divisor * share : Vec<T>{};  // what stands in the other lanes may be NaN
        if (rows < w + lanes<T>)
            for (int64_t j = 0; j < layer.units; j++) {
                T* const delta = slopes + j * width + w;
                store(delta, there ? load(delta) : Vec<T>{});
            }
    }
    return sum<T>(loss);
}

template <class T> T pass(const Chunk<T>& c, int64_t panel, bool back, T* room) {
    const int64_t begin = panel * c.panel_rows, rows = c.rows - begin < c.panel_rows ? c.rows - begin : c.panel_rows;
    const int64_t width = whole_vectors<T>(rows), last = c.depth - 1, outputs = c.layers[last].units;
    const int64_t* const order = c.order + begin;
    const auto f_of = [&](int64_t i) {  // fᵢ, from f₀ on
        return c.f[i] + begin * ((i ? c.layers[i - 1].units : c.layers[0].inputs) + 1);
    };
    const auto slopes_of = [&](int64_t i) { return c.slopes[i] + begin * c.layers[i].units; };

    const int64_t inputs = c.layers[0].inputs;
    gather<T>([&](int64_t r) { return c.x + order[r] * inputs; }, rows, inputs, f_of(0), width);
    ones(f_of(0) + inputs * width, width);
    T *const y = room, *const z_of_output = room + c.panel_rows * outputs;
    gather<T>([&](int64_t r) { return c.y + order[r] * outputs; }, rows, outputs, y, width);
    for (int64_t i = 0; i <= last; i++) {
        const Layer<T>& layer = c.layers[i];
        T *const f = f_of(i + 1), *const slopes = slopes_of(i);
        const int64_t numbers = layer.units * width;
        weigh(layer, f_of(i), width, f);
        if (i == last) __builtin_memcpy(z_of_output, f, sizeof(T) * numbers);
        activate<T>(layer, f, slopes, width);
        if (back && c.masks[i]) {
            const T* const mask = c.masks[i] + begin * layer.units;
            for (int64_t k = 0; k < numbers; k += lanes<T>) {
                store(f + k, load(f + k) * load(mask + k));
                store(slopes + k, load(slopes + k) * load(mask + k));
            }
        }
        ones(f + numbers, width);
    }
    const T loss = output<T>(c, rows, width, order, y, z_of_output, f_of(last + 1), slopes_of(last));
    if (!back) return loss;

    for (int64_t i = last; i >= 0; i--) {
        const Layer<T>& layer = c.layers[i];
        const T* const delta = slopes_of(i);
        scatter<T>(delta, layer.units, width, c.errors[i] + begin * layer.stride, layer.stride);
        if (!i) break;
        // δᵢ₋₁ = (δᵢWᵢᵀ) ⊙ f′(zᵢ₋₁)
        multiply_in_pieces<T>({layer.inputs, width, layer.units, layer.theta, layer.units, 1, delta, width, room, width});
        T* const slopes = slopes_of(i - 1);
        for (int64_t k = 0; k < layer.inputs * width; k += lanes<T>) store(slopes + k, load(slopes + k) * load(room + k));
    }
    return loss;
}

// ∂/∂Wᵢ = fᵢ₋₁ᵀδᵢ, and ∂/∂bᵢ = Σ δᵢ by the ones below fᵢ₋₁: one sum over all panels of the chunk.
template <class T>
void gradient(const Chunk<T>& c, int64_t i, int64_t first, int64_t rows, bool add, T* gradient, T* room) {
    const Layer<T>& layer = c.layers[i];
    const int64_t panels = (c.rows + c.panel_rows - 1) / c.panel_rows, in_last = c.rows - (panels - 1) * c.panel_rows;
    const int64_t width_of_last = whole_vectors<T>(in_last), units = layer.units, columns = whole_vectors<T>(units);
    const bool whole = columns == units;
    gradient += first * units;
    T* const to = whole ? gradient : room;
    if (!whole && add)
        for (int64_t r = 0; r < rows; r++)
            for (int64_t j = 0; j < units; j++) room[r * columns + j] = gradient[r * units + j];
    Product<T> p = {rows, columns, in_last, c.f[i], width_of_last, 1, c.errors[i], layer.stride, to, columns, add};
    p.first_row = first;
    if (panels > 1) {
        p.segments = panels;
        p.inner = p.row_step = c.panel_rows;
        p.a_advance = c.panel_rows * (layer.inputs + 1);
        p.b_advance = c.panel_rows * layer.stride;
        p.last_inner = in_last;
        p.last_row_step = width_of_last;
    }
    multiply(p);
    if (whole) return;
    // Whole vectors, each of which ends in numbers that the next row overwrites; the last rows number by number.
    int64_t r = 0;
    for (; r * units + columns <= rows * units; r++)
        for (int64_t j = 0; j < columns; j += lanes<T>) store(gradient + r * units + j, load(room + r * columns + j));
    for (; r < rows; r++)
        for (int64_t j = 0; j < units; j++) gradient[r * units + j] = room[r * columns + j];
}

template <class T> void add(T* g, const T* h, int64_t n) {
    for (int64_t i = 0; i < n; i += lanes<T>) store(g + i, load(g + i) + load(h + i));
}

template <class T> void function(int which, const T* x, T* result, int64_t n) {
    using Function = Vec<T> (*)(Vec<T>);
    constexpr Function functions[] = {exp<T>, expm1<T>, log<T>, tanh<T>, logistic<T>, erf<T>, sin<T>, cos<T>, softplus<T>};
    for (int64_t i = 0; i < n; i += lanes<T>) store(result + i, functions[which](load(x + i)));
}

template <class T> const Kernels<T>& kernels() {
    static constexpr Kernels<T> chosen = {lanes<T>,   panel_rows<T>, block_rows, predict<T>, pass<T>, chain<T>, pack<T>,
                                          gradient<T>, add<T>,        penalise<T>, update<T>, function<T>};
    return chosen;
}

const Kernels<float>& of_float() { return kernels<float>(); }
const Kernels<double>& of_double() { return kernels<double>(); }

}  // namespace chainrule::CHAINRULE_ISA
