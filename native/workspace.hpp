// The memory that rows need on their way forward and back.
#pragma once

#include <vector>

#include "memory.hpp"
#include "network.hpp"
#include "plan.hpp"

namespace chainrule {

// Rows of a batch that one thread takes forward and back by itself, with a gradient of its own, so little goes from one
// core to another. The groups are the same for any number of threads, and so are the bits of their sum.
template <class T> struct alignas(128) Group {  // no two share a cache line
    explicit Group(std::size_t parameters) : gradient(zeros<T>(parameters)) {}
    Buffer<T> gradient;
    double loss = 0;
};

// The arrays of a chunk: one workspace for each thread, in whose cache it stays from group to group, or one that all
// share.
template <class T> class alignas(128) Workspace {
  public:
    Workspace(const Network<T>& net, const Settings& settings, const Plan& plan)
        : losses(std::size_t(plan.panels(plan.chunk_rows))),
          z_(zeros<T>(std::size_t(plan.chunk_rows * net.layers.back().units))) {
        const auto rows_of = [&](int64_t units) { return zeros<T>(std::size_t(plan.chunk_rows * units)); };
        f_.push_back(rows_of(net.layers[0].inputs + 1));
        for (std::size_t i = 0; i < net.layers.size(); i++) {
            const Layer<T>& layer = net.layers[i];
            f_.push_back(rows_of(layer.units + 1));
            slopes_.push_back(rows_of(layer.units));
            masks.push_back(settings.dropout[i] > 0 ? rows_of(layer.units) : nullptr);
            errors_.push_back(rows_of(layer.columns));
        }
        const std::vector<Buffer<T>>* const buffers[4] = {&f_, &slopes_, &masks, &errors_};
        for (int kind = 0; kind < 4; kind++)
            for (const Buffer<T>& buffer : *buffers[kind]) addresses_[kind].push_back(buffer.get());
        if (plan.finds_zero_columns) reserve_columns(net.layers[0], plan.panels(plan.chunk_rows));
        chunk.layers = net.layers.data();
        chunk.depth = int64_t(net.layers.size());
        chunk.loss = settings.loss;
        chunk.loss_parameter = T(settings.loss_parameter);
        chunk.divisor = T(settings.divisor);
        chunk.f = addresses_[0].data();
        chunk.z = z_.get();
        chunk.slopes = addresses_[1].data();
        chunk.masks = addresses_[2].data();
        chunk.errors = addresses_[3].data();
        chunk.column_bits = column_bits_.empty() ? nullptr : column_bits_.data();
        chunk.offsets = offsets_.data();
        chunk.counts = counts_.data();
    }

    // Finds the columns of x that are not 0 in all rows of the chunk, if they are few enough for the others to be
    // skipped.
    void find_nonzero_columns(int64_t panels) {
        const Layer<T>& first = chunk.layers[0];
        std::fill(all_bits_.begin(), all_bits_.end(), 0);
        for (int64_t panel = 0; panel < panels; panel++)
            for (int64_t k = 0; k < first.inputs; k++)
                all_bits_[std::size_t(k)] |= chunk.column_bits[panel * first.inputs + k];
        chunk.nonzero_count = 0;
        for (int64_t k = 0; k < first.rows; k++) {
            nonzero_columns_[std::size_t(chunk.nonzero_count)] = k;
            chunk.nonzero_count += k == first.inputs || !is_zero<T>(all_bits_[std::size_t(k)]);
        }
        chunk.nonzero_columns = pays_to_skip(first.rows, chunk.nonzero_count) ? nonzero_columns_.data() : nullptr;
    }

    Chunk<T> chunk{};
    std::vector<Buffer<T>> masks;
    std::vector<double> losses;  // of panels

  private:
    void reserve_columns(const Layer<T>& first, int64_t panels) {
        column_bits_.resize(std::size_t(panels * first.inputs));
        offsets_.resize(std::size_t(panels * first.rows));
        counts_.resize(std::size_t(panels * pieces(first.rows)));
        all_bits_.resize(std::size_t(first.inputs));
        nonzero_columns_.resize(std::size_t(first.rows));
    }

    std::vector<Buffer<T>> f_, slopes_, errors_;
    std::vector<T*> addresses_[4];
    Buffer<T> z_;
    std::vector<Bits<T>> column_bits_, all_bits_;  // empty if zeros are not looked for
    std::vector<Offset> offsets_;
    std::vector<int64_t> counts_, nonzero_columns_;
};

}  // namespace chainrule
