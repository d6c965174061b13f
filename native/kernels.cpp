// Compiled once for each instruction set, with CHAINRULE_ISA and CHAINRULE_VECTOR_BYTES set.
#include "kernels.hpp"

#include "activations.hpp"
#include "chain.hpp"
#include "losses.hpp"
#include "matrix.hpp"
#include "narrow.hpp"
#include "optimizers.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T> constexpr int64_t panel_rows = block_vectors * lanes<T>;
template <class T> int64_t whole_vectors(int64_t n) { return (n + lanes<T> - 1) / lanes<T> * lanes<T>; }

// Rows of a table (units numbers each) become the lanes of a panel: to is units × width. Lanes without a row of their own
// have the last one, since with made-up numbers an activation might overflow there. Where that is asked for, the bits of
// each column's numbers, joined by or, are put into `joined`; there are at least as many as a vector has lanes.
template <class T, class Row>
void gather(Row row_at, int64_t rows, int64_t units, T* to, int64_t width, Bits<T>* joined = nullptr) {
    for (int64_t w = 0; w < width; w += lanes<T>) {
        if (units < lanes<T>) {
            for (int64_t r = w; r < w + lanes<T>; r++) {
                const T* const row = row_at(r < rows ? r : rows - 1);
                for (int64_t j = 0; j < units; j++) to[j * width + r] = row[j];
            }
            continue;
        }
        for (int64_t j = 0; j < units; j += lanes<T>) {
            const int64_t first = j + lanes<T> <= units ? j : units - lanes<T>;  // the last go over some once more
            Vec<T> square[lanes<T>];
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) square[k] = load(row_at(w + k < rows ? w + k : rows - 1) + first);
            if (joined) {
                Integers<T> all_bits = {};
                if (w) __builtin_memcpy(&all_bits, joined + first, sizeof all_bits);
#pragma GCC unroll 16
                for (int k = 0; k < lanes<T>; k++) all_bits |= bits<T>(square[k]);
                __builtin_memcpy(joined + first, &all_bits, sizeof all_bits);
            }
            transpose<T>(square);
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) store(to + (first + k) * width + w, square[k]);
        }
    }
}

// The lanes of a panel (units × width) become rows, in whole vectors of units with zeros after them, packed as matrix.hpp
// says.
template <class T> void to_rows(const T* from, int64_t units, int64_t width, T* to) {
    const int64_t columns = whole_vectors<T>(units);
    for (int64_t j = 0; j < columns; j += lanes<T>) {
        const bool one = j % panel_rows<T> == 0 && columns - j == lanes<T>;
        const int64_t stride = one ? lanes<T> : panel_rows<T>;
        T* const begin = to + j / panel_rows<T> * panel_rows<T> * panel_rows<T> + j % panel_rows<T>;
        for (int64_t w = 0; w < width; w += lanes<T>) {
            Vec<T> square[lanes<T>];
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) square[k] = j + k < units ? load(from + (j + k) * width + w) : Vec<T>{};
            transpose<T>(square);
#pragma GCC unroll 16
            for (int k = 0; k < lanes<T>; k++) store(begin + (w + k) * stride, square[k]);
        }
    }
}

// Lists which of a panel's inputs are not 0 in all of its rows, and the ones below them, as Product wants it.
template <class T> void list_inputs(const Layer<T>& layer, const Bits<T>* joined, Place* places, int64_t* counts) {
    in_pieces(layer.rows, [&](int64_t k, int64_t inner) {
        Place* to = places + k;
        for (int64_t n = 0; n < inner; n++) {
            *to = Place(n);
            to += k + n == layer.inputs || !is_zero<T>(joined[k + n]);
        }
        counts[k / inner_at_once] = to - (places + k);
    });
}

// zᵢ = fᵢ₋₁Wᵢ + bᵢ: W's columns are A's rows, and the ones below fᵢ₋₁ take in the bias.
template <class T> Product<T> weighing(const Layer<T>& layer, const T* f, int64_t width, T* z) {
    return {layer.units, width, layer.rows, layer.theta, 1, layer.units, f, width, z, width};
}

template <class T> void ones(T* to, int64_t width) {
    for (int64_t w = 0; w < width; w += lanes<T>) store(to + w, all<T>(T(1)));
}

// zᵢ becomes fᵢ in its place, of some units or, with softmax, of all; with f′(zᵢ) in `slopes` where that is asked for and
// the units are not taken together.
template <class T> void activate(const Layer<T>& layer, int64_t units, T* f, T* slopes, int64_t width) {
    if (layer.activation == softmax_place) softmax<T>(f, units, width);
    else activate<T>(layer.activation, layer.parameter, f, slopes, units * width);
}

// A few rows, one after the other in a row's layout, where lanes would be left empty in a panel. `room` has three parts, of
// which softmax has the last, since it reads f from either of the others: rows are at most half a vector's lanes, so each
// of the first two takes lanes / 2 · widest numbers, and the last lanes · widest.
template <class T>
void predict_few(const Layer<T>* layers, int64_t depth, int64_t widest, const T* x, int64_t rows, T* result, T* room) {
    T* halves[2] = {room, room + rows * widest};
    const T* f = x;
    int64_t f_stride = layers[0].inputs;
    for (int64_t i = 0; i < depth; i++) {
        const Layer<T>& layer = layers[i];
        T* const z = halves[i % 2];
        const int64_t columns = layer.columns;
        for (int64_t r = 0; r < rows; r++)  // begins with the bias, or with 0
            for (int64_t j = 0; j < columns; j += lanes<T>)
                store(z + r * columns + j, layer.rows > layer.inputs ? load(layer.theta + layer.inputs * layer.units + j) : Vec<T>{});
        multiply<T>({rows, columns, layer.inputs, f, f_stride, 1, layer.theta, layer.units, z, columns, z});
        if (layer.activation != softmax_place) activate<T>(layer.activation, layer.parameter, z, nullptr, rows * columns);
        f = z;
        f_stride = columns;
    }
    const Layer<T>& last = layers[depth - 1];
    T* const lane_by_lane = room + 2 * rows * widest;
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
    for (int64_t i = 0; i < depth; i++) widest = layers[i].columns > widest ? layers[i].columns : widest;
    T* const halves[2] = {room, room + panel_rows<T> * (widest + 1)};
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
            multiply_at_once(weighing(layer, f, width, z), z);
            activate<T>(layer, layer.units, z, nullptr, width);
            ones(z + layer.units * width, width);
            f = z;
        }
        for (int64_t j = 0; j < outputs; j++)
            for (int64_t r = 0; r < count; r++) result[(begin + r) * outputs + j] = f[j * width + r];
    }
}

// Where a panel of a chunk lies.
template <class T> struct Panel {
    const Chunk<T>& c;
    int64_t begin, rows, width;
    Panel(const Chunk<T>& c, int64_t panel)
        : c(c), begin(panel * panel_rows<T>), rows(c.rows - begin < panel_rows<T> ? c.rows - begin : panel_rows<T>),
          width(whole_vectors<T>(rows)) {}
    int64_t inputs() const { return c.layers[0].inputs; }
    int64_t outputs() const { return c.layers[c.depth - 1].units; }
    T* f(int64_t i) const { return c.f[i] + begin * ((i ? c.layers[i - 1].units : inputs()) + 1); }  // fᵢ, from f₀ on
    T* z() const { return c.z + begin * outputs(); }
    T* slopes(int64_t i) const { return c.slopes[i] + begin * c.layers[i].units; }
    const T* mask(int64_t i) const { return c.masks[i] ? c.masks[i] + begin * c.layers[i].units : nullptr; }
    T* errors(int64_t i) const { return c.errors[i] + begin * c.layers[i].columns; }
    Bits<T>* joined() const { return c.joined ? c.joined + begin / panel_rows<T> * inputs() : nullptr; }
    Place* places() const { return c.places + begin / panel_rows<T> * (inputs() + 1); }
    int64_t* counts() const { return c.counts + begin / panel_rows<T> * pieces(inputs() + 1); }
};

// The data may be far away: rows of the next panel are asked for before this one goes through the layers.
template <class T> void ask_for_next(const Panel<T>& at) {
    const int64_t begin = at.begin + at.rows, left = at.c.rows + at.c.ahead - begin;
    for (int64_t r = 0; r < (left < panel_rows<T> ? left : panel_rows<T>); r++) {
        const T* const row = at.c.x + at.c.order[begin + r] * at.inputs();
        for (int64_t k = 0; k < at.inputs(); k += 64 / int64_t(sizeof(T))) __builtin_prefetch(row + k, 0, 2);
    }
}

template <class T> void take_rows(const Chunk<T>& c, int64_t panel) {
    const Panel<T> at(c, panel);
    ask_for_next(at);
    Bits<T>* const joined = at.joined();
    gather<T>([&](int64_t r) { return c.x + c.order[at.begin + r] * at.inputs(); }, at.rows, at.inputs(), at.f(0), at.width, joined);
    ones(at.f(0) + at.inputs() * at.width, at.width);
    if (joined) list_inputs<T>(c.layers[0], joined, at.places(), at.counts());
}

template <class T> void to_front(const Chunk<T>& c, int64_t panel) {
    const Panel<T> at(c, panel);
    T* const f = at.f(0);
    for (int64_t n = 0; n < c.in_front; n++)
        for (int64_t w = 0; w < at.width; w += lanes<T>) store(f + n * at.width + w, load(f + c.front[n] * at.width + w));
}

// A piece of a block of A's rows, which begins with element (row, k), as it is copied: elements of one row, or of one k,
// lie together.
template <class T> struct Piece {
    alignas(64) T numbers[block_rows * inner_at_once + lanes<T>];  // whole vectors reach beyond the last
    int64_t row, rows, k, inner, row_step, step;
};

// Piece by piece of the inner dimension, block by block, panel by panel: so a piece of A stays in the first cache for
// all panels, and the panels' pieces in the second for all blocks. A's rows may lie so that they share few places of a
// cache; copy(piece) gets one for all panels. product(panel) is that of all rows of A; partial(panel) is where its sums grow.
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
        if (i == 0 && c.joined) {
            p.places = at.places();
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
        const Outputs<T> o = {y + w, at.z() + w, at.f(c.depth) + w, slopes + w, layer.units, at.width, c.loss_parameter};
        const Vec<T> of_rows = loss_of_rows<T>(c.loss, layer.activation, o, share / c.divisor);
        const Integers<T> there = lane_numbers<T>() < decltype(lane_numbers<T>()[0] + 0)(at.rows - w);
        loss += there ? of_rows / c.divisor * share : Vec<T>{};  // what stands in the other lanes may be NaN
        if (at.rows < w + lanes<T>)
            for (int64_t j = 0; j < layer.units; j++) {
                T* const delta = slopes + j * at.width + w;
                store(delta, there ? load(delta) : Vec<T>{});
            }
    }
    return sum<T>(loss);
}

// How many of a layer's last units have their gradient summed over lanes: those that would leave half of a vector, or all
// of it, empty.
template <class T> int64_t units_over_lanes(const Layer<T>& layer) {
    if (layer.units <= 4 && layer.units <= lanes<T>) return layer.units;
    const int64_t rest = layer.units % lanes<T>;
    return rest <= 4 && rest <= lanes<T> / 2 ? rest : 0;
}

template <class T> void scatter(const Chunk<T>& c, int64_t i, int64_t panel) {
    const Panel<T> at(c, panel);
    const int64_t units = c.layers[i].units - units_over_lanes(c.layers[i]);
    if (units) to_rows<T>(at.slopes(i), units, at.width, at.errors(i));
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
        return Product<T>{layer.inputs, at.width, layer.units, layer.theta, layer.units, 1, at.slopes(i), at.width,
                          slopes, at.width, nullptr, slopes};
    };
    multiply_tile(c, tile, copy, product, [&](const Panel<T>& at) { return at.errors(i - 1); });
}

template <class T> T pass(const Chunk<T>& c, int64_t panel, bool with_back, T* y) {
    take_rows(c, panel);
    for (int64_t i = 0; i < c.depth; i++) forward(c, {i, panel}, with_back);
    const T loss = output(c, panel, y);
    if (!with_back) return loss;
    for (int64_t i = c.depth - 1; i > 0; i--) {
        scatter(c, i, panel);
        back(c, {i, panel});
    }
    scatter(c, 0, panel);
    return loss;
}

// ∂/∂Wᵢ = fᵢ₋₁ᵀδᵢ, and ∂/∂bᵢ = Σ δᵢ by the ones below fᵢ₋₁: one sum over all panels of the chunk. Where rows of f₀ were moved
// to the front, `first` and `rows` count those, and of the rows between them the gradient is 0.
template <class T>
void gradient(const Chunk<T>& c, int64_t i, int64_t first, int64_t rows, bool add, T* gradient, T* room) {
    const Layer<T>& layer = c.layers[i];
    const int64_t panels = (c.rows + panel_rows<T> - 1) / panel_rows<T>, in_last = c.rows - (panels - 1) * panel_rows<T>;
    const int64_t width_of_last = whole_vectors<T>(in_last), units = layer.units;
    const int64_t over_lanes = units_over_lanes(layer), others = units - over_lanes, columns = whole_vectors<T>(others);
    const int64_t* const front = i == 0 ? c.front : nullptr;
    const auto row_at = [&](int64_t r) { return gradient + (front ? front[first + r] : first + r) * units; };
    const bool direct = columns + over_lanes == units && !front;
    T* const to = direct ? row_at(0) : room;
    if (!direct && add)
        for (int64_t r = 0; r < rows; r++) __builtin_memcpy(room + r * (columns + over_lanes), row_at(r), sizeof(T) * units);

    Product<T> p = {rows, columns, in_last, c.f[i], width_of_last, 1, c.errors[i], 0, to, columns + over_lanes, add ? to : nullptr};
    p.first_row = first;
    p.packed_rows = panel_rows<T>;
    if (panels > 1) {
        p.segments = panels;
        p.inner = p.row_step = panel_rows<T>;
        p.a_advance = panel_rows<T> * (layer.inputs + 1);
        p.b_advance = panel_rows<T> * layer.columns;
        p.last_inner = in_last;
        p.last_row_step = width_of_last;
    }
    if (columns) multiply(p);
    if (over_lanes) {
        p.inner = panel_rows<T>;
        p.last_inner = width_of_last;
        p.b_advance = panel_rows<T> * units;
        p.b = c.slopes[i];
        p.c += others;
        const auto sums = [&]<int J>() {
            if constexpr (J <= lanes<T>) sums_over_lanes<T, J>(p, others);
        };
        switch (over_lanes) {
            case 1: sums.template operator()<1>(); break;
            case 2: sums.template operator()<2>(); break;
            case 3: sums.template operator()<3>(); break;
            case 4: sums.template operator()<4>(); break;
        }
    }
    if (direct) return;
    for (int64_t r = 0; r < rows; r++) {
        const T* const from = room + r * (columns + over_lanes);
        T* const row = row_at(r);
        if (front && !add) {
            const int64_t before = first + r ? front[first + r - 1] + 1 : 0;
            for (T* zero = gradient + before * units; zero < row; zero++) *zero = T(0);
        }
        // Whole vectors, where what the last one ends in is overwritten by the next row.
        if (!front && row + columns <= row_at(rows - 1) + units)
            for (int64_t j = 0; j < columns; j += lanes<T>) store(row + j, load(from + j));
        else
            for (int64_t j = 0; j < units; j++) row[j] = from[j];
    }
}

// A chunk of one panel, V vectors wide, through narrow layers and back, with its gradient.
template <class T, int V> T narrow_pass(const Chunk<T>& c, const int64_t* begins, T* all_gradients, T* room) {
    const Panel<T> at(c, 0);
    take_rows(c, 0);
    for (int64_t i = 0; i < c.depth; i++) {
        const Layer<T>& layer = c.layers[i];
        T* const f = at.f(i + 1);
        narrow_product<T, V>(layer.units, layer.theta, 1, layer.units, at.f(i), layer.rows, f, false);
        if (i + 1 == c.depth) __builtin_memcpy(at.z(), f, sizeof(T) * layer.units * at.width);
        activate<T>(layer, layer.units, f, at.slopes(i), at.width);
        ones(f + layer.units * at.width, at.width);
    }
    const T loss = output(c, 0, room);
    for (int64_t i = c.depth - 1; i > 0; i--) {
        const Layer<T>& layer = c.layers[i];
        narrow_product<T, V>(layer.inputs, layer.theta, layer.units, 1, at.slopes(i), layer.units, at.slopes(i - 1), true);
    }
    for (int64_t i = 0; i < c.depth; i++) {
        const Layer<T>& layer = c.layers[i];
        if (2 * layer.units <= lanes<T>) {
            narrow_gradient<T, V>(layer, at.f(i), at.slopes(i), all_gradients + begins[i]);
        } else {
            scatter(c, i, 0);
            gradient(c, i, 0, layer.rows, false, all_gradients + begins[i], room);
        }
    }
    return loss;
}

template <class T> T narrow(const Chunk<T>& c, const int64_t* begins, T* gradient, T* room) {
    static_assert(block_vectors == 2);
    return c.rows > lanes<T> ? narrow_pass<T, 2>(c, begins, gradient, room) : narrow_pass<T, 1>(c, begins, gradient, room);
}

template <class T> void add(T* g, const T* h, int64_t n) {
    for (int64_t i = 0; i < n; i += lanes<T>) store(g + i, load(g + i) + load(h + i));
}

template <class T> Vec<T> tanh_one_by_one(Vec<T> x) {
    for (int i = 0; i < lanes<T>; i++) x[i] = value_of_one<T, Tanh<T>>(x[i], T(0));
    return x;
}

template <class T> void function(int which, const T* x, T* result, int64_t n) {
    using Function = Vec<T> (*)(Vec<T>);
    constexpr Function functions[] = {[](Vec<T> x) { return exp<T>(x); }, expm1<T>, [](Vec<T> x) { return log<T>(x); },
                                      tanh_one_by_one<T>};
    for (int64_t i = 0; i < n; i += lanes<T>) store(result + i, functions[which](load(x + i)));
}

template <class T> const Kernels<T>& kernels() {
    static constexpr Kernels<T> chosen = {lanes<T>,   panel_rows<T>, block_rows, predict<T>,  pass<T>,  take_rows<T>,
                                          forward<T>, output<T>,     scatter<T>, back<T>,     to_front<T>, chain<T>,
                                          gradient<T>, narrow<T>,    add<T>,      penalise<T>, update<T>, activate<T>, function<T>};
    return chosen;
}

const Kernels<float>& of_float() { return kernels<float>(); }
const Kernels<double>& of_double() { return kernels<double>(); }

}  // namespace chainrule::CHAINRULE_ISA
