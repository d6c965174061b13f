// The plan of a run: how a training step is executed. A pure value, computed from shapes and settings.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "network.hpp"
#include "settings.hpp"

namespace chainrule {

// The k-th of `of` parts of a layer's gradient.
struct Part {
    int64_t layer, k, of;
};

struct Plan {
    Path path;
    int threads;
    int64_t lanes, panel_rows, block_rows;  // of the instruction set
    int64_t groups;                         // of rows of a batch, each with a gradient of its own
    int64_t chunk_rows;                     // rows whose gradient is taken together
    int64_t piece;                          // parameters that one thread updates at a time
    bool piece_is_small;                    // other threads should not take pieces too eagerly
    bool finds_zero_columns;
    std::vector<bool> takes_all_panels;  // whether a layer takes all panels of a chunk before the next layer does
    std::vector<Part> parts;             // of the gradient
    int64_t scratch;                     // numbers that a thread needs for a panel's y or a part of the gradient

    // The plan for these numbers of training and validation rows, with at most `threads` threads.
    template <class T>
    static Plan of(const Network<T>& net, const Settings& settings, const Kernels<T>& kernels, int64_t rows,
                   int64_t validation_rows, int threads) {
        const int64_t batch_rows = std::min(settings.batch_size, rows);
        Plan plan{};
        plan.lanes = kernels.lanes;
        plan.panel_rows = kernels.panel_rows;
        plan.block_rows = kernels.block_rows;
        plan.threads = threads_that_pay(net, batch_rows, threads);
        const std::vector<bool> large = large_layers(net, plan.panels(batch_rows));
        for (std::size_t i = 0; i < large.size(); i++)
            plan.takes_all_panels.push_back(large[i] && net.layers[i].activation != ActivationName::softmax);
        plan.path = path_of(net, settings, batch_rows <= plan.panel_rows, large);
        plan.groups = groups_of(net, batch_rows, plan.path);
        plan.chunk_rows = chunk_rows_of(net, std::max(batch_rows, validation_rows), plan);
        plan.piece = std::clamp<int64_t>(net.padded / 32, 256, largest_piece) / 256 * 256;
        plan.piece_is_small = plan.piece < largest_piece;
        const Layer<T>& first = net.layers[0];
        plan.finds_zero_columns =
            first.inputs >= wide_enough && first.units >= wide_enough && first.rows > first.inputs;
        plan.parts = parts_of(net, plan);
        plan.scratch = scratch_of(net, plan);
        return plan;
    }

    int64_t panels(int64_t rows) const { return (rows + panel_rows - 1) / panel_rows; }
    int64_t blocks(int64_t rows) const { return (rows + block_rows - 1) / block_rows; }

    // The first of a part's rows, and how many they are, if all parts together have `all`: whole blocks but for the
    // last.
    std::pair<int64_t, int64_t> rows_of(const Part& part, int64_t all) const {
        const int64_t count = blocks(all);
        const auto first = [&](int64_t k) { return std::min(count * k / part.of * block_rows, all); };
        return {first(part.k), first(part.k + 1) - first(part.k)};
    }

    static constexpr int64_t chunk_bytes = int64_t(1) << 21;  // what stays in the second-level cache
    static constexpr int64_t parts_of_layer = 16;             // that threads share, of a large layer

  private:
    static constexpr int64_t layers_bytes = 24 << 20;  // of a chunk on the path `layers`, if four panels fit
    static constexpr int64_t wide_enough = 32;  // inputs, and units: with fewer, finding zeros costs more than it saves
    static constexpr int64_t widest_of_narrow = 32;  // with more units, calls cost little beside products
    static constexpr int64_t largest_piece = 16384;

    // As many threads as are allowed, but no more than pay for a step.
    template <class T> static int threads_that_pay(const Network<T>& net, int64_t batch_rows, int threads) {
        constexpr double work_that_pays = sizeof(T) == 4 ? 1e6 : 3.5e5;  // operations in a step, for each thread
        const double work = double(net.parameters) * (6.0 * double(batch_rows) + 60.0);
        return int(std::clamp(work / work_that_pays, 1.0, double(threads)));
    }

    // Layers so large that their parameters would not stay in a cache from panel to panel take all panels of a chunk
    // before the next layer does, if there are several; still larger layers do so for few panels, too, since threads
    // share the parts of such a layer.
    template <class T> static std::vector<bool> large_layers(const Network<T>& net, int64_t panels) {
        std::vector<bool> large;
        large.reserve(net.layers.size());
        for (const Layer<T>& layer : net.layers)
            large.push_back(layer.rows * layer.units >= (panels >= 4 ? 1 << 15 : 1 << 18));
        return large;
    }

    template <class T>
    static Path path_of(const Network<T>& net, const Settings& settings, bool is_one_panel,
                        const std::vector<bool>& large) {
        if (is_chain(net, settings)) return Path::chain;
        if (is_one_panel && net.widest <= widest_of_narrow && !settings.has_dropout()) return Path::narrow;
        return std::find(large.begin(), large.end(), true) == large.end() ? Path::panels : Path::layers;
    }

    // Whether chain.hpp can make the steps.
    template <class T> static bool is_chain(const Network<T>& net, const Settings& settings) {
        const Layer<T>& first = net.layers[0];
        const auto alike = [&](const Layer<T>& layer) {
            return layer.inputs == 1 && layer.units == 1 && layer.rows == first.rows &&
                   layer.activation == first.activation && layer.parameter == first.parameter;
        };
        return settings.batch_size == 1 && std::all_of(net.layers.begin(), net.layers.end(), alike) &&
               first.activation != ActivationName::softmax && !settings.has_dropout() && !settings.has_penalty() &&
               settings.clip_norm == 0 && settings.optimizer == OptimizerName::sgd && settings.remembers == 0;
    }

    // One where the gradient is large: the threads then share its parts.
    template <class T> static int64_t groups_of(const Network<T>& net, int64_t batch_rows, Path path) {
        int64_t groups = 1;
        if (net.parameters <= 1 << 16 && path != Path::layers)
            while (groups < 16 && groups * 128 <= batch_rows) groups *= 2;
        return groups;
    }

    // Few enough rows for the second-level cache, but enough for taking their gradient to pay, and no more than a group
    // has.
    template <class T> static int64_t chunk_rows_of(const Network<T>& net, int64_t most_rows, const Plan& plan) {
        int64_t numbers = net.layers[0].inputs + 1 + net.layers.back().units;
        for (const Layer<T>& layer : net.layers) numbers += 3 * layer.units + layer.columns;
        const int64_t rows = plan.panel_rows;
        const auto rows_in = [&](int64_t bytes) { return bytes / int64_t(sizeof(T)) / numbers / rows * rows; };
        const int64_t bytes = plan.groups == 1 ? chunk_bytes : chunk_bytes / 4;
        const int64_t fit = plan.path == Path::layers
                                ? std::clamp(rows_in(layers_bytes), 4 * rows, 16 * rows)
                                : std::max(rows_in(bytes), std::clamp(rows_in(8 * bytes), rows, 8 * rows));
        const int64_t group_rows = (most_rows + plan.groups - 1) / plan.groups + plan.lanes;
        const int64_t chunks = (group_rows + fit - 1) / fit;  // of equal size: a small one does not pay
        return plan.panels((group_rows + chunks - 1) / chunks) * rows;
    }

    // Whole blocks of rows, some for every thread if these share one group.
    template <class T> static std::vector<Part> parts_of(const Network<T>& net, const Plan& plan) {
        std::vector<Part> parts;
        for (std::size_t i = 0; i < net.layers.size(); i++) {
            const int64_t blocks = plan.blocks(net.layers[i].rows);
            const int64_t count = plan.path == Path::narrow ? 1
                                  : plan.groups == 1        ? std::min<int64_t>(blocks, parts_of_layer)
                                                            : (blocks + 15) / 16;
            for (int64_t k = 0; k < count; k++) parts.push_back({int64_t(i), k, count});
        }
        return parts;
    }

    template <class T> static int64_t scratch_of(const Network<T>& net, const Plan& plan) {
        int64_t most = plan.panel_rows * net.layers.back().units;
        for (const Part& part : plan.parts) {
            const Layer<T>& layer = net.layers[std::size_t(part.layer)];
            most = std::max(most, plan.rows_of(part, layer.rows).second * layer.columns);
        }
        return most;
    }
};

}  // namespace chainrule
