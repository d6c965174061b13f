// A training run: shuffle, gather, forward, back, penalty, clipping, optimiser, step after step.
#pragma once

#include <chrono>
#include <cmath>
#include <numeric>

#include "network.hpp"
#include "random.hpp"

namespace chainrule {

// How a network is trained; chainrule/engines/task.py says what each means.
struct Settings {
    std::string loss;
    double loss_parameter, divisor;
    std::string optimizer;
    std::vector<double> constants;  // of the optimiser, after the learning rate
    int remembers;                  // how many vectors it keeps
    std::vector<double> dropout;    // of each layer
    double l1, l2, clip_norm;       // clip_norm: 0 for none
    int64_t batch_size;
    bool shuffle;
    uint64_t seed;
};

enum class Outcome { epoch_done, time_is_up, diverged };

template <class T> class Run {
  public:
    // x (rows × inputs), y (rows × outputs) and weights (rows) are the caller's, who keeps them.
    Run(const Description& description, const Settings& settings, const Kernels<T>& kernels, const T* x, const T* y,
        const T* weights, int64_t rows)
        : net(description, kernels.lanes), settings_(settings), kernels_(kernels), x_(x), y_(y), weights_(weights),
          order_(std::size_t(rows)), gradient_(zeros<T>(std::size_t(net.padded))), zeros_(zeros<T>(std::size_t(net.widest))) {
        const auto depth = net.layers.size();
        const auto of_tile = [&](int64_t width) { return zeros<T>(std::size_t(tile_rows * width)); };
        for (std::size_t i = 0; i < depth; i++) {
            const Layer<T>& layer = net.layers[i];
            f_.push_back(of_tile(layer.stride));
            slopes_.push_back(of_tile(layer.stride));
            masks_.push_back(settings.dropout[i] > 0 ? of_tile(layer.stride) : nullptr);
            transposed_.push_back(i ? zeros<T>(std::size_t(layer.units * net.layers[i - 1].stride)) : nullptr);
        }
        for (int k = 0; k < settings.remembers; k++) memory.push_back(zeros<T>(std::size_t(net.padded)));
        x_tile_ = of_tile(net.layers.front().inputs);
        y_tile_ = of_tile(net.layers.back().stride);
        z_of_output_ = of_tile(net.layers.back().stride);
        delta_ = of_tile(net.widest);
        delta_before_ = of_tile(net.widest);
        shares_ = room<T>(tile_rows);
        for (std::size_t i = 0; i < depth; i++) gradients_.push_back(gradient_.get() + net.begins[i]);
        const auto addresses = [](const std::vector<Block<T>>& blocks, auto& to) {
            for (const Block<T>& block : blocks) to.push_back(block.get());
        };
        addresses(masks_, mask_addresses_);
        addresses(transposed_, transposed_addresses_);
        addresses(f_, f_addresses_);
        addresses(slopes_, slope_addresses_);
        tile_ = {net.layers.data(), int64_t(depth), 0, position(loss_names, settings.loss), T(settings.loss_parameter),
                 T(settings.divisor), x_tile_.get(), y_tile_.get(), shares_.get(), mask_addresses_.data(),
                 transposed_addresses_.data(), f_addresses_.data(), slope_addresses_.data(), gradients_.data(),
                 z_of_output_.get(), delta_.get(), delta_before_.get(), zeros_.get(), true};
        optimizer_ = position(optimizer_names, settings.optimizer);
        all_weights_ = std::accumulate(weights, weights + rows, 0.0);
    }

    // Goes on with the epoch until it is done, `steps` steps are made or the time is up; rates are those of the epoch.
    Outcome advance(const double* rates, int64_t steps, double seconds) {
        const auto start = std::chrono::steady_clock::now();
        const auto rows = int64_t(order_.size()), size = settings_.batch_size;
        if (batch == 0) {
            std::iota(order_.begin(), order_.end(), 0);
            if (settings_.shuffle) shuffle(order_, settings_.seed, uint64_t(epoch));
            total_ = 0;
        }
        const int64_t steps_between_looks = net.padded * size > 100'000 ? 1 : 16;  // a look at the clock takes 30 ns
        for (; batch * size < rows; batch++) {
            if (steps-- == 0) return Outcome::time_is_up;
            if (!step(batch * size, std::min(size, rows - batch * size), rates[batch])) return Outcome::diverged;
            if (batch % steps_between_looks == 0 && std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > seconds) {
                batch++;
                if (batch * size < rows) return Outcome::time_is_up;
                break;
            }
        }
        loss = total_ / all_weights_;
        batch = 0;
        epoch++;
        return Outcome::epoch_done;
    }

    Network<T> net;
    std::vector<Block<T>> memory;
    int64_t steps_made = 0, epoch = 0, batch = 0;
    double loss = 0;  // of the last epoch that was done

  private:
    bool step(int64_t begin, int64_t count, double rate) {
        double weight = 0;
        for (int64_t r = 0; r < count; r++) weight += double(weights_[order_[std::size_t(begin + r)]]);
        for (std::size_t i = 1; i < net.layers.size(); i++) transpose(i);
        T batch_loss = 0;
        for (int64_t done = 0; done < count; done += tile_rows)
            batch_loss += pass(begin, done, std::min(tile_rows, count - done), weight);
        total_ += double(batch_loss) * weight;

        const T check = batch_loss * T(0) + penalise();
        if (!(check == 0)) return false;
        Step<T> s{};
        s.rate = T(rate);
        std::copy(settings_.constants.begin(), settings_.constants.end(), s.c);
        s.correction1 = T(1 - std::pow(double(s.c[0]), double(steps_made + 1)));
        s.correction2 = T(1 - std::pow(double(s.c[1]), double(steps_made + 1)));
        const T fine = kernels_.update(optimizer_, net.theta.get(), gradient_.get(), remembered(0), remembered(1),
                                       net.padded, clipping(), s);
        steps_made++;
        return fine == 0;
    }

    T* remembered(std::size_t k) { return k < memory.size() ? memory[k].get() : nullptr; }

    // Wᵀ of layer i, so that going back reads along its rows.
    void transpose(std::size_t i) {
        const Layer<T>& layer = net.layers[i];
        const int64_t stride = net.layers[i - 1].stride;
        for (int64_t row = 0; row < layer.inputs; row++)
            for (int64_t unit = 0; unit < layer.units; unit++)
                transposed_[i][std::size_t(unit * stride + row)] = layer.weights[row * layer.stride + unit];
    }

    T pass(int64_t begin, int64_t done, int64_t rows, double weight) {
        const Layer<T>&first = net.layers.front(), &last = net.layers.back();
        for (int64_t r = 0; r < rows; r++) {
            const int64_t row = order_[std::size_t(begin + done + r)];
            std::copy_n(x_ + row * first.inputs, first.inputs, x_tile_.get() + r * first.inputs);
            std::copy_n(y_ + row * last.units, last.units, y_tile_.get() + r * last.stride);
            shares_[std::size_t(r)] = weight > 0 ? T(double(weights_[row]) / weight) : T(0);
        }
        for (std::size_t i = 0; i < net.layers.size(); i++)
            if (masks_[i])
                dropout(masks_[i].get(), done, rows, net.layers[i].units, net.layers[i].stride, settings_.dropout[i],
                        settings_.seed, uint64_t(epoch), uint64_t(batch), uint64_t(i + 1));
        tile_.rows = rows;
        tile_.first = done == 0;
        return kernels_.pass(tile_);
    }

    // Adds the penalty to the gradient of every W, and clears that of a bias that a layer does not have.
    T penalise() {
        T check = 0;
        for (std::size_t i = 0; i < net.layers.size(); i++) {
            const Layer<T>& layer = net.layers[i];
            T* g = gradient_.get() + net.begins[i];
            const int64_t weights = layer.inputs * layer.stride;
            check += kernels_.penalise(g, layer.weights, weights, T(settings_.l1), T(settings_.l2));
            if (net.has_bias(i)) check += kernels_.penalise(g + weights, layer.bias, layer.stride, T(0), T(0));
            else std::fill_n(g + weights, layer.stride, T(0));
        }
        return check;
    }

    // By what the gradient is multiplied so that it is at most clip_norm long.
    T clipping() const {
        if (settings_.clip_norm == 0) return T(1);
        double largest = 0, squares = 0;
        for (int64_t k = 0; k < net.padded; k++) largest = std::max(largest, std::abs(double(gradient_[std::size_t(k)])));
        if (largest == 0) return T(1);
        for (int64_t k = 0; k < net.padded; k++) {
            const double part = double(gradient_[std::size_t(k)]) / largest;
            squares += part * part;
        }
        const double length = std::sqrt(squares) * largest;
        return length <= settings_.clip_norm ? T(1) : T(settings_.clip_norm / length);
    }

    const Settings settings_;
    const Kernels<T>& kernels_;
    const T *x_, *y_, *weights_;
    std::vector<int64_t> order_;
    Block<T> gradient_, zeros_, x_tile_, y_tile_, z_of_output_, delta_, delta_before_, shares_;
    std::vector<Block<T>> f_, slopes_, masks_, transposed_;
    std::vector<const T*> mask_addresses_, transposed_addresses_;
    std::vector<T*> f_addresses_, slope_addresses_, gradients_;
    Tile<T> tile_;  // where all of these are
    int optimizer_;
    double total_ = 0, all_weights_;
};

}  // namespace chainrule
