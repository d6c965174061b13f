// The rows of a run, and their order in each epoch.
#pragma once

#include <cstdint>
#include <numeric>
#include <vector>

#include "random.hpp"

namespace chainrule {

// Rows that the caller keeps: x (… × inputs), y (… × outputs), weights, null if all are 1, and which of their rows to
// take, in which order; null for all as they are.
template <class T> struct Data {
    const T *x, *y, *weights;
    const int64_t* numbers;
    int64_t rows;

    std::vector<int64_t> row_numbers() const {
        std::vector<int64_t> result(static_cast<std::size_t>(rows));
        if (numbers)
            std::copy_n(numbers, rows, result.begin());
        else
            std::iota(result.begin(), result.end(), 0);
        return result;
    }
    double weight_of(const int64_t* order, int64_t count) const {
        if (!weights) return double(count);
        return std::accumulate(order, order + count, 0.0,
                               [&](double sum, int64_t row) { return sum + double(weights[row]); });
    }
};

// Some rows of the data.
template <class T> struct Rows {
    const Data<T>& data;
    const int64_t* order;           // their numbers
    int64_t count;                  // how many
    int64_t available;              // how many numbers `order` has: those that follow come soon
    double weight;                  // the sum of their weights
    uint64_t epoch = 0, batch = 0;  // decide what dropout drops
};

// The order of the training rows, new in each epoch unless nothing shuffles them.
template <class T> class RowOrder {
  public:
    RowOrder(const Data<T>& data, bool shuffles, uint64_t seed)
        : data_(data), order_(data.row_numbers()), shuffles_(shuffles), seed_(seed),
          shuffle_(shuffles ? order_.size() : 0) {}

    void begin_epoch(int64_t epoch) {
        if (!shuffling.order.empty()) {
            shuffling();
            for (std::size_t r = 0; r < order_.size(); r++)
                order_[r] = data_.numbers ? data_.numbers[shuffling.order[r]] : shuffling.order[r];
        } else if (shuffles_) {
            shuffle_(data_.numbers, order_, seed_, uint64_t(epoch));
        }
    }
    const int64_t* data() const { return order_.data(); }

    Shuffling shuffling;  // decides the order if it has one

  private:
    const Data<T> data_;
    std::vector<int64_t> order_;
    const bool shuffles_;
    const uint64_t seed_;
    Shuffle shuffle_;
};

}  // namespace chainrule
