// Rows forward and back: their mean loss, and the gradient of each group of rows.
#pragma once

#include <vector>

#include "data.hpp"
#include "threads.hpp"
#include "workspace.hpp"

namespace chainrule {

template <class T> class Passes {
  public:
    Passes(const Network<T>& net, const Settings& settings, const Plan& plan, const Kernels<T>& kernels)
        : net_(net), settings_(settings), plan_(plan), kernels_(kernels), has_dropout_(settings.has_dropout()) {
        for (int64_t k = 0; k < plan.groups; k++) groups.emplace_back(std::size_t(net.padded));
        for (int k = 0; k < (plan.groups == 1 ? 1 : plan.threads); k++) workspaces_.emplace_back(net, settings, plan);
        for (int thread = 0; thread < plan.threads; thread++) scratch_.push_back(zeros<T>(std::size_t(plan.scratch)));
    }

    // The mean loss of rows by their weights; with `back`, the groups' gradients too, and with dropout. Not valid if
    // `given_up`: an interruption ended it.
    double operator()(Pool& pool, const Rows<T>& rows, Interruption& interruption, bool back) {
        const bool is_long = double(net_.parameters) * double(rows.count) > work_without_a_look;
        const auto goes_on = [&] { return !is_long || !interruption.look(); };
        if (plan_.groups == 1) {
            take_group(groups[0], workspaces_[0], rows, 0, rows.count, back, [&](int64_t parts, auto work) {
                pool.each(parts, [&](int64_t part, int thread) {
                    if (goes_on()) work(part, thread);
                });
            });
        } else {
            pool.each(plan_.groups, [&](int64_t k, int thread) {
                const auto first_of = [&](int64_t group) {
                    return group < plan_.groups ? rows.count * group / plan_.groups / plan_.lanes * plan_.lanes
                                                : rows.count;
                };
                take_group(groups[std::size_t(k)], workspaces_[std::size_t(thread)], rows, first_of(k), first_of(k + 1),
                           back, [&](int64_t parts, auto work) {
                               for (int64_t part = 0; part < parts && goes_on(); part++) work(part, thread);
                           });
            });
        }
        given_up = is_long && interruption.happened();
        double loss = 0;
        for (const Group<T>& group : groups) loss += group.loss;
        return loss;
    }

    std::vector<Group<T>> groups;
    bool given_up = false;

  private:
    static constexpr double work_without_a_look = 1e8;  // for an interruption: rows × parameters, some 10 ms

    // Rows `begin` … `end` − 1 of a batch, chunk by chunk; `each` calls a function for every one of some parts.
    template <class Each>
    void take_group(Group<T>& group, Workspace<T>& space, const Rows<T>& rows, int64_t begin, int64_t end, bool back,
                    Each each) {
        const bool far_away = rows.data.rows * net_.layers[0].inputs * int64_t(sizeof(T)) > Plan::chunk_bytes / 8;
        Chunk<T>& chunk = space.chunk;
        chunk.x = rows.data.x;
        chunk.y = rows.data.y;
        chunk.weights = rows.data.weights;
        chunk.scale = rows.weight > 0 ? T(1 / rows.weight) : T(0);
        group.loss = 0;
        if (begin == end && back) std::fill_n(group.gradient.get(), net_.padded, T(0));
        for (int64_t done = begin; done < end; done += plan_.chunk_rows) {
            chunk.rows = std::min(plan_.chunk_rows, end - done);
            chunk.order = rows.order + done;
            chunk.rows_ahead = far_away ? rows.available - done - chunk.rows : 0;
            if (back && plan_.path == Path::narrow && end - begin <= plan_.panel_rows) {
                group.loss =
                    double(kernels_.narrow(chunk, net_.begins.data(), group.gradient.get(), scratch_[0].get()));
                continue;
            }
            take_chunk(group, space, rows, done, back, each);
            if (back) take_gradient(group, space, done > begin, each);
        }
    }

    template <class Each>
    void take_chunk(Group<T>& group, Workspace<T>& space, const Rows<T>& rows, int64_t done, bool back, Each each) {
        const Chunk<T>& chunk = space.chunk;
        const int64_t panels = plan_.panels(chunk.rows);
        double* const losses = space.losses.data();
        if (back && has_dropout_) each(panels, [&](int64_t panel, int) { draw_masks(space, rows, panel, done); });
        if (plan_.path == Path::layers)
            layer_by_layer(chunk, losses, back, each);
        else
            each(panels, [&](int64_t panel, int thread) {
                losses[panel] = double(kernels_.pass(chunk, panel, back, scratch_[std::size_t(thread)].get()));
            });
        for (int64_t panel = 0; panel < panels; panel++) group.loss += losses[panel];
    }

    // The gradient of a chunk's rows, part by part; with `add`, what it adds to that of the chunks before.
    template <class Each> void take_gradient(Group<T>& group, Workspace<T>& space, bool add, Each each) {
        const Chunk<T>& chunk = space.chunk;
        const int64_t panels = plan_.panels(chunk.rows);
        if (chunk.column_bits) space.find_nonzero_columns(panels);
        if (chunk.nonzero_columns) each(panels, [&](int64_t panel, int) { kernels_.compact_columns(chunk, panel); });
        each(int64_t(plan_.parts.size()), [&](int64_t k, int thread) {
            const Part& part = plan_.parts[std::size_t(k)];
            const auto layer = std::size_t(part.layer);
            const bool is_compact = layer == 0 && chunk.nonzero_columns;
            const auto [first, rows] = plan_.rows_of(part, is_compact ? chunk.nonzero_count : net_.layers[layer].rows);
            if (rows)
                kernels_.gradient(chunk, part.layer, first, rows, add, group.gradient.get() + net_.begins[layer],
                                  scratch_[std::size_t(thread)].get());
        });
    }

    // As Kernels::pass, but each layer takes all panels before the next one does: a large layer in parts of it for all
    // panels, another panel by panel.
    template <class Each> void layer_by_layer(const Chunk<T>& chunk, double* losses, bool back, Each each) {
        const int64_t count = plan_.panels(chunk.rows), last = chunk.depth - 1;
        const auto tiles = [&](int64_t i, int64_t units, auto work) {
            if (!plan_.takes_all_panels[std::size_t(i)])
                return each(count, [&](int64_t panel, int) { work(Tile{i, panel}); });
            const int64_t blocks = plan_.blocks(units), parts = std::min(blocks, Plan::parts_of_layer);
            each(parts, [&](int64_t k, int) {
                const int64_t first = blocks * k / parts;
                work(Tile{i, 0, count, first, blocks * (k + 1) / parts - first});
            });
        };
        each(count, [&](int64_t panel, int) { kernels_.load_panel(chunk, panel); });
        for (int64_t i = 0; i <= last; i++)
            tiles(i, chunk.layers[i].units, [&](const Tile& tile) { kernels_.forward(chunk, tile, back); });
        each(count, [&](int64_t panel, int thread) {
            losses[panel] = double(kernels_.output(chunk, panel, scratch_[std::size_t(thread)].get()));
            if (back) kernels_.pack_errors(chunk, last, panel);
        });
        for (int64_t i = last; back && i > 0; i--) {
            tiles(i, chunk.layers[i].inputs, [&](const Tile& tile) { kernels_.back(chunk, tile); });
            each(count, [&](int64_t panel, int) { kernels_.pack_errors(chunk, i - 1, panel); });
        }
    }

    void draw_masks(Workspace<T>& space, const Rows<T>& rows, int64_t panel, int64_t done) {
        const int64_t begin = panel * plan_.panel_rows;
        const int64_t count = std::min<int64_t>(plan_.panel_rows, space.chunk.rows - begin);
        const int64_t width = (count + plan_.lanes - 1) / plan_.lanes * plan_.lanes;
        for (std::size_t i = 0; i < net_.layers.size(); i++)
            if (space.masks[i])
                dropout(space.masks[i].get() + begin * net_.layers[i].units, done + begin, count, net_.layers[i].units,
                        width, settings_.dropout[i], settings_.seed, rows.epoch, rows.batch, uint64_t(i + 1));
    }

    const Network<T>& net_;
    const Settings& settings_;
    const Plan& plan_;
    const Kernels<T>& kernels_;
    const bool has_dropout_;
    std::vector<Workspace<T>> workspaces_;
    std::vector<Buffer<T>> scratch_;  // of each thread
};

}  // namespace chainrule
