// A training run: shuffle, forward, back, gradient, penalty, clipping, optimiser, step after step and epoch after epoch.
#pragma once

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "network.hpp"
#include "random.hpp"
#include "threads.hpp"

namespace chainrule {

// How a network is trained; chainrule/engines/task.py says what each means.
struct Settings {
    std::string loss;
    double loss_parameter, divisor;
    std::string optimizer;          // empty where only the objective is asked for
    std::vector<double> constants;  // of the optimiser, after the learning rate
    int remembers;                  // how many vectors it keeps
    std::vector<double> dropout;    // of each layer
    double l1, l2;
    bool penalty_by_weight, penalty_in_loss;
    double clip_norm;  // 0 for none
    int64_t batch_size;
    bool shuffle;
    uint64_t seed;
    StoppingRule stopping;
    int64_t patience;  // epochs, and by how much the loss must fall: of the stopping rule
    double tolerance;
    LossWeighting loss_weighting;  // by what a batch counts in the loss of an epoch
};

// Rows of the caller's, who keeps them: x (… × inputs), y (… × outputs), weights, null where all are 1, and which of
// their rows to take, in which order; null for all as they are.
template <class T> struct Data {
    const T *x, *y, *weights;
    const int64_t* numbers;
    int64_t rows;
};

enum class Outcome { done, time_is_up, diverged, no_longer_better };

template <class T> class Run {
  public:
    // As many threads as are allowed, but only as pay for a step.
    Run(const Description& description, const Settings& settings, const Kernels<T>& kernels, Data<T> training,
        Data<T> validation, int threads)
        : net(description, kernels.lanes), settings_(settings), kernels_(kernels), data_(training), validation_(validation),
          validation_rows_(numbers_of(validation)), order_(numbers_of(training)),
          has_dropout_(std::any_of(settings.dropout.begin(), settings.dropout.end(), [](double rate) { return rate > 0; })),
          shuffles_(settings.shuffle && (settings.batch_size < training.rows || has_dropout_)),
          has_penalty_(settings.l1 != 0 || settings.l2 != 0),
          shuffle_(shuffles_ ? order_.size() : 0), gradient_(zeros<T>(std::size_t(net.padded))) {
        for (int k = 0; k < settings.remembers; k++) memory.push_back(zeros<T>(std::size_t(net.padded)));
        if (!settings.optimizer.empty()) optimizer_ = position(optimizer_names, settings.optimizer);
        all_weights_ = weight_of(data_, order_.data(), data_.rows);
        validation_weights_ = weight_of(validation_, validation_rows_.data(), validation_.rows);
        steps_in_epoch = (data_.rows + settings.batch_size - 1) / settings.batch_size;

        const double work = double(net.parameters) * (6.0 * double(batch_rows()) + 60.0);
        this->threads = int(std::clamp(work / work_that_pays, 1.0, double(threads)));
        find_large_layers();
        reserve_groups();
        is_narrow_ = batch_rows() <= kernels_.panel_rows && net.widest <= widest_of_narrow && !has_dropout_;
        plan_parts();
        is_chain_ = is_chain();
        if (is_chain_) chain_room_ = zeros<T>(2 * net.layers.size());
        piece_ = std::clamp<int64_t>(net.padded / 32, 256, largest_piece) / 256 * 256;
        squares_.resize(std::size_t((net.padded + piece_ - 1) / piece_));
        penalties_.resize(squares_.size());
    }

    // Goes on until the epochs that rates are given for are done (steps_in_epoch rates for each, the first for
    // `first_epoch`), `steps` steps are made, the time is up, or early stopping or divergence ends it. After an interruption
    // the time is up too; a step in which it happened was not made.
    Outcome advance(const double* rates, int64_t first_epoch, int64_t epochs, int64_t steps, double seconds,
                    Interruption& interruption) {
        interruption_ = &interruption;
        const auto start = std::chrono::steady_clock::now();
        const auto time_is_up = [&] {
            return interruption.look() || std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() > seconds;
        };
        Pool pool(threads);
        losses.reserve(losses.size() + std::size_t(epochs));
        validation_losses.reserve(validation_losses.size() + std::size_t(epochs));
        const int64_t size = settings_.batch_size;
        const int64_t steps_between_looks = net.parameters * size > 100'000 ? 1 : 16;  // a look at the clock takes 30 ns
        while (epoch < first_epoch + epochs) {
            if (batch == 0) {
                if (!shuffling.order.empty()) take_next_order();
                else if (shuffles_) shuffle_(data_.numbers, order_, settings_.seed, uint64_t(epoch));
                total_ = 0;
            }
            const double* of_epoch = rates + (epoch - first_epoch) * steps_in_epoch;
            while (batch < steps_in_epoch) {
                if (steps == 0) return Outcome::time_is_up;
                const int64_t left = std::min({steps, steps_in_epoch - batch, chain_steps_at_once});
                const int64_t made =
                    is_chain_ ? chain_steps(of_epoch + batch, left)
                              : step(pool, batch * size, std::min(size, data_.rows - batch * size), of_epoch[batch]);
                batch += made;
                steps -= made;
                if (given_up_) return Outcome::time_is_up;
                if (made < (is_chain_ ? left : 1)) return Outcome::diverged;
                if ((is_chain_ || batch % steps_between_looks == 0) && batch < steps_in_epoch && time_is_up())
                    return Outcome::time_is_up;
            }
            if (validation_.rows) {
                const double judged = judge(pool);
                if (given_up_) return Outcome::time_is_up;
                validation_losses.push_back(judged);
            }
            losses.push_back(total_ / share_of_loss(data_.rows, all_weights_));
            batch = 0;
            epoch++;
            if (no_longer_better()) return Outcome::no_longer_better;
            if (epoch < first_epoch + epochs && time_is_up()) return Outcome::time_is_up;
        }
        return Outcome::done;
    }

    // The loss of all rows at θ, and its gradient with penalty in gradient(), where nothing was advanced. Without dropout.
    // Nothing after an interruption.
    std::optional<double> objective(Interruption& interruption) {
        interruption_ = &interruption;
        Pool pool(threads);
        const double loss = forward_and_back(pool, data_, order_.data(), data_.rows, data_.rows, all_weights_, true);
        if (given_up_) return std::nullopt;
        penalty_scale_ = penalty_scale(all_weights_);
        each_piece(pool, [&](int64_t from, int64_t numbers) { complete_gradient(from, numbers); });
        return loss;
    }
    // The loss of the validation data at θ; nothing after an interruption.
    std::optional<double> validation_loss(Interruption& interruption) {
        interruption_ = &interruption;
        Pool pool(threads);
        const double loss = judge(pool);
        if (given_up_) return std::nullopt;
        return loss;
    }
    const T* gradient() const { return gradient_.get(); }

    int64_t rows() const { return data_.rows; }
    int64_t panel_rows() const { return kernels_.panel_rows; }
    int64_t chunk_rows() const { return chunk_rows_; }
    int64_t groups() const { return int64_t(groups_.size()); }
    bool goes_by_layers() const { return goes_by_layers_; }
    bool goes_row_by_row() const { return is_chain_; }
    bool goes_at_once() const { return is_narrow_; }

    Network<T> net;
    Shuffling shuffling;
    std::vector<Block<T>> memory;
    std::vector<double> losses, validation_losses;  // of the epochs done, for the caller to take
    int64_t steps_made = 0, epoch = 0, batch = 0, steps_in_epoch;
    int64_t best_epoch = 0;  // 0: none yet
    double best_loss = 0;
    int64_t waited = 0;  // epochs without progress
    double lowest_loss = std::numeric_limits<double>::infinity();
    Block<T> best_theta;  // null before there is one, or after it was taken
    int threads;

  private:
    static constexpr double work_that_pays = sizeof(T) == 4 ? 1e6 : 3.5e5;  // operations in a step, for each thread
    static constexpr double work_without_a_look = 1e8;        // for an interruption: rows × parameters, some 10 ms
    static constexpr int64_t chunk_bytes = int64_t(1) << 21;  // what stays in the second cache
    static constexpr int64_t layers_bytes = 24 << 20;         // of a chunk that goes layer by layer, if four panels fit
    static constexpr int64_t worth_a_look = 32;               // inputs, and units: fewer cost more time than zeros save
    static constexpr int64_t widest_of_narrow = 32;           // more units, and calls cost little beside products
    static constexpr int64_t parts_of_layer = 16;             // that threads share, of a large layer
    static constexpr int64_t largest_piece = 16384;           // parameters that one thread updates at a time
    static constexpr int64_t chain_steps_at_once = 1024;      // between two looks at the clock

    // Rows of a batch that one thread takes forward and back by itself, with a gradient of its own; so little goes from
    // one core to another. Where the gradient is large there is one group, and the threads share its panels and the
    // parts of its gradient. The groups are the same for any number of threads, and so are the bits of their sum.
    struct alignas(128) Group {  // no two share a cache line
        Block<T> own;  // null for the first
        T* gradient;
        double loss = 0;
    };
    // Where a chunk goes forward and back: one for each thread, whose cache it stays in from group to group, or one that
    // the threads share.
    struct alignas(128) Workspace {
        Chunk<T> chunk{};
        std::vector<Block<T>> f, slopes, masks, errors;
        std::vector<T*> addresses[4];
        Block<T> z;
        std::vector<Bits<T>> joined, seen;  // empty where columns of x are not worth a look
        std::vector<Place> places;
        std::vector<int64_t> counts, front;
        std::vector<double> losses;  // of panels
    };
    struct Part {  // the k-th of so many parts of a layer's gradient
        int64_t layer, k, of;
    };

    static std::vector<int64_t> numbers_of(const Data<T>& data) {
        std::vector<int64_t> numbers(std::size_t(data.rows));
        if (data.numbers) std::copy_n(data.numbers, data.rows, numbers.begin());
        else std::iota(numbers.begin(), numbers.end(), 0);
        return numbers;
    }
    void take_next_order() {
        shuffling();
        for (std::size_t r = 0; r < order_.size(); r++)
            order_[r] = data_.numbers ? data_.numbers[shuffling.order[r]] : shuffling.order[r];
    }
    static double weight_of(const Data<T>& data, const int64_t* rows, int64_t count) {
        if (!data.weights) return double(count);
        return std::accumulate(rows, rows + count, 0.0, [&](double sum, int64_t row) { return sum + double(data.weights[row]); });
    }

    int64_t panels(int64_t rows) const { return (rows + kernels_.panel_rows - 1) / kernels_.panel_rows; }

    // Layers so large that their parameters would not stay in a cache from panel to panel take all panels of a chunk
    // before the next layer does, where these are some; still larger ones do so for few panels, too, since threads share
    // the parts of such a layer.
    void find_large_layers() {
        for (const Layer<T>& layer : net.layers) {
            const bool large = layer.rows * layer.units >= (panels(batch_rows()) >= 4 ? 1 << 15 : 1 << 18);
            goes_by_layers_ = goes_by_layers_ || large;
            takes_all_panels_.push_back(large && layer.activation != softmax_place);
        }
    }
    int64_t batch_rows() const { return std::min(settings_.batch_size, data_.rows); }

    // As many rows as go through together before their gradient is taken: few enough for the second cache, but enough
    // that taking it pays, and never more than a group has.
    void reserve_groups() {
        int64_t groups = 1;
        if (net.parameters <= 1 << 16 && !goes_by_layers_)
            while (groups < 16 && groups * 128 <= batch_rows()) groups *= 2;
        int64_t numbers = net.layers[0].inputs + 1 + net.layers.back().units;
        for (const Layer<T>& layer : net.layers) numbers += 3 * layer.units + layer.columns;
        const int64_t rows = kernels_.panel_rows;
        const auto rows_of = [&](int64_t bytes) { return bytes / int64_t(sizeof(T)) / numbers / rows * rows; };
        const int64_t bytes = groups == 1 ? chunk_bytes : chunk_bytes / 4;
        chunk_rows_ = goes_by_layers_ ? std::clamp(rows_of(layers_bytes), 4 * rows, 16 * rows)
                                       : std::max(rows_of(bytes), std::clamp(rows_of(8 * bytes), rows, 8 * rows));
        const int64_t of_group = (std::max(batch_rows(), validation_.rows) + groups - 1) / groups + kernels_.lanes;
        const int64_t chunks = (of_group + chunk_rows_ - 1) / chunk_rows_;  // of equal size: a small one does not pay
        chunk_rows_ = panels((of_group + chunks - 1) / chunks) * rows;
        for (int64_t k = 0; k < groups; k++) {
            Block<T> own = k ? zeros<T>(std::size_t(net.padded)) : nullptr;
            T* const gradient = k ? own.get() : gradient_.get();
            groups_.push_back({std::move(own), gradient});
        }
        for (int64_t k = 0; k < (groups == 1 ? 1 : threads); k++) {
            Workspace& space = workspaces_.emplace_back();
            const auto room_for = [&](int64_t units) { return zeros<T>(std::size_t(chunk_rows_ * units)); };
            space.f.push_back(room_for(net.layers[0].inputs + 1));
            for (std::size_t i = 0; i < net.layers.size(); i++) {
                const Layer<T>& layer = net.layers[i];
                space.f.push_back(room_for(layer.units + 1));
                space.slopes.push_back(room_for(layer.units));
                space.masks.push_back(settings_.dropout[i] > 0 ? room_for(layer.units) : nullptr);
                space.errors.push_back(room_for(layer.columns));
            }
            space.z = room_for(net.layers.back().units);
            std::vector<Block<T>>* const blocks[4] = {&space.f, &space.slopes, &space.masks, &space.errors};
            for (int what = 0; what < 4; what++)
                for (const Block<T>& block : *blocks[what]) space.addresses[what].push_back(block.get());
            space.losses.resize(std::size_t(panels(chunk_rows_)));
            const Layer<T>& first = net.layers[0];
            if (first.inputs >= worth_a_look && first.units >= worth_a_look && first.rows > first.inputs) {
                const auto room_for = [&](auto& numbers, int64_t of_panel) { numbers.resize(std::size_t(panels(chunk_rows_) * of_panel)); };
                room_for(space.joined, first.inputs);
                room_for(space.places, first.rows);
                room_for(space.counts, pieces(first.rows));
                space.seen.resize(std::size_t(first.inputs));
                space.front.resize(std::size_t(first.rows));
            }
            space.chunk = {net.layers.data(), int64_t(net.layers.size()), 0, nullptr, nullptr, nullptr, nullptr, 0, T(0),
                           position(loss_names, settings_.loss), T(settings_.loss_parameter), T(settings_.divisor),
                           space.addresses[0].data(), space.z.get(), space.addresses[1].data(),
                           space.addresses[2].data(), space.addresses[3].data(),
                           space.joined.empty() ? nullptr : space.joined.data(), space.places.data(), space.counts.data()};
        }
    }

    int64_t blocks_of(int64_t rows) const { return (rows + kernels_.block_rows - 1) / kernels_.block_rows; }

    // The gradient in parts: whole blocks of rows, some for every thread where these share one group.
    void plan_parts() {
        int64_t most = kernels_.panel_rows * net.layers.back().units;  // a panel's y
        for (std::size_t i = 0; i < net.layers.size(); i++) {
            const Layer<T>& layer = net.layers[i];
            const int64_t blocks = blocks_of(layer.rows);
            const int64_t parts = is_narrow_ ? 1 : groups_.size() == 1 ? std::min<int64_t>(blocks, parts_of_layer) : (blocks + 15) / 16;
            for (int64_t k = 0; k < parts; k++) {
                parts_.push_back({int64_t(i), k, parts});
                most = std::max(most, rows_of(parts_.back(), layer.rows).second * layer.columns);
            }
        }
        for (int thread = 0; thread < threads; thread++) rooms_.push_back(zeros<T>(std::size_t(most)));
    }

    // The first of a part's rows, and how many they are, where all parts have so many.
    std::pair<int64_t, int64_t> rows_of(const Part& part, int64_t all) const {
        const int64_t blocks = blocks_of(all);
        const auto first = [&](int64_t k) { return std::min(blocks * k / part.of * kernels_.block_rows, all); };
        return {first(part.k), first(part.k + 1) - first(part.k)};
    }

    // Whether chain.hpp can make the steps.
    bool is_chain() const {
        const Layer<T>& first = net.layers[0];
        const auto alike = [&](const Layer<T>& layer) {
            return layer.inputs == 1 && layer.units == 1 && layer.rows == first.rows && layer.activation == first.activation &&
                   layer.parameter == first.parameter;
        };
        return settings_.batch_size == 1 && std::all_of(net.layers.begin(), net.layers.end(), alike) &&
               first.activation != softmax_place && !has_dropout_ && !has_penalty_ && settings_.clip_norm == 0 &&
               settings_.optimizer == optimizer_names[sgd_place] && memory.empty();
    }

    // Returns how many steps were made before a number was not finite.
    int64_t chain_steps(const double* rates, int64_t steps) {
        const Layer<T>& first = net.layers[0];
        const int64_t made = kernels_.chain({int64_t(net.layers.size()), first.rows > 1, first.activation, first.parameter,
                                             position(loss_names, settings_.loss), T(settings_.loss_parameter), net.theta.get(),
                                             data_.x, data_.y, data_.weights, order_.data() + batch, rates, steps,
                                             chain_room_.get()}, total_);
        steps_made += made;
        return made;
    }

    // Returns whether the step was made and all numbers are finite.
    bool step(Pool& pool, int64_t begin, int64_t count, double rate) {
        const double weight = weight_of(data_, order_.data() + begin, count);
        const double loss = forward_and_back(pool, data_, order_.data() + begin, count, data_.rows - begin, weight, true);
        if (given_up_) return false;
        penalty_scale_ = penalty_scale(weight);

        Step<T> s{};
        s.rate = T(rate);
        std::copy(settings_.constants.begin(), settings_.constants.end(), s.c);
        if (optimizer_ == adam_place || optimizer_ == adamw_place) {
            find_powers(s.c);
            const double root = std::sqrt(1 - powers_[1]);
            s.adam_rate = T(rate * root / (1 - powers_[0]));
            s.adam_epsilon = s.c[3] != 0 ? s.c[2] : T(double(s.c[2]) * root);
        }
        std::atomic<bool> fine = loss * 0 == 0;
        const auto update = [&](int64_t from, int64_t numbers, T scale) {
            const auto remembered = [&](std::size_t k) { return k < memory.size() ? memory[k].get() + from : nullptr; };
            const T check = kernels_.update(optimizer_, net.theta.get() + from, gradient_.get() + from, remembered(0),
                                            remembered(1), numbers, scale, s);
            if (!(check == 0)) fine = false;
        };
        if (settings_.clip_norm == 0) {
            each_piece(pool, [&](int64_t from, int64_t numbers) {
                complete_gradient(from, numbers);
                update(from, numbers, T(1));
            });
        } else {
            each_piece(pool, [&](int64_t from, int64_t numbers) { complete_gradient(from, numbers); });
            const T scale = clipping(pool);
            each_piece(pool, [&](int64_t from, int64_t numbers) { update(from, numbers, scale); });
        }
        double penalty = 0;
        if (settings_.penalty_in_loss) penalty = std::accumulate(penalties_.begin(), penalties_.end(), 0.0);
        total_ += (loss + penalty) * share_of_loss(count, weight);
        steps_made++;
        return fine;
    }

    // By what the loss of rows counts in the loss of an epoch.
    double share_of_loss(int64_t rows, double weight) const {
        return settings_.loss_weighting == LossWeighting::rows ? double(rows) : weight;
    }
    double penalty_scale(double weight) const { return !settings_.penalty_by_weight ? 1 : weight > 0 ? 1 / weight : 0; }

    static double power(double base, int64_t exponent) {  // by products, which round alike on every machine
        double result = 1;
        for (; exponent; exponent >>= 1, base *= base)
            if (exponent & 1) result *= base;
        return result;
    }
    // β₁ᵗ and β₂ᵗ of step t = steps_made + 1, from the step before, and every 256 steps from the exponent. The same for a
    // run that goes on from a checkpoint.
    void find_powers(const T* beta) {
        const int64_t begin = steps_made / 256 * 256;
        for (int k = 0; k < 2; k++) {
            int64_t at = powers_of_;
            if (at < begin || at > steps_made) powers_[k] = power(double(beta[k]), (at = begin) + 1);
            for (; at < steps_made; at++) powers_[k] *= double(beta[k]);
        }
        powers_of_ = steps_made;
    }

    double judge(Pool& pool) {
        return forward_and_back(pool, validation_, validation_rows_.data(), validation_.rows, validation_.rows, validation_weights_, false);
    }

    // The mean loss of rows by their weights; with `back`, the groups' gradients too, and with dropout. Of no use where
    // the work was given up because of an interruption. `order` has `available` rows, so many of which come soon.
    double forward_and_back(Pool& pool, const Data<T>& data, const int64_t* order, int64_t count, int64_t available,
                            double weight, bool back) {
        const auto groups = int64_t(groups_.size());
        const T scale = weight > 0 ? T(1 / weight) : T(0);
        const bool is_long = double(net.parameters) * double(count) > work_without_a_look;
        const auto goes_on = [&] { return !is_long || !interruption_->look(); };
        if (groups == 1) {
            forward_and_back(groups_[0], workspaces_[0], data, order, 0, count, available, scale, back, [&](int64_t parts, auto work) {
                pool.each(parts, [&](int64_t part, int thread) {
                    if (goes_on()) work(part, thread);
                });
            });
            given_up_ = is_long && interruption_->happened();
            return groups_[0].loss;
        }
        pool.each(groups, [&](int64_t k, int thread) {
            const auto first_of = [&](int64_t k) { return k < groups ? count * k / groups / kernels_.lanes * kernels_.lanes : count; };
            forward_and_back(groups_[std::size_t(k)], workspaces_[std::size_t(thread)], data, order, first_of(k), first_of(k + 1), available, scale, back,
                             [&](int64_t parts, auto work) {
                                 for (int64_t part = 0; part < parts && goes_on(); part++) work(part, thread);
                             });
        });
        given_up_ = is_long && interruption_->happened();
        double loss = 0;
        for (const Group& group : groups_) loss += group.loss;
        return loss;
    }

    // Rows `begin` … `end` − 1 of a batch, chunk by chunk; `each` calls a function for every one of some parts.
    template <class Each>
    void forward_and_back(Group& group, Workspace& space, const Data<T>& data, const int64_t* order, int64_t begin, int64_t end,
                          int64_t available, T scale, bool back, Each each) {
        const bool far_away = data.rows * net.layers[0].inputs * int64_t(sizeof(T)) > chunk_bytes / 8;
        Chunk<T>& chunk = space.chunk;
        chunk.x = data.x;
        chunk.y = data.y;
        chunk.weights = data.weights;
        chunk.scale = scale;
        group.loss = 0;
        if (begin == end && back) std::fill_n(group.gradient, net.padded, T(0));
        for (int64_t done = begin; done < end; done += chunk_rows_) {
            chunk.rows = std::min(chunk_rows_, end - done);
            chunk.order = order + done;
            chunk.ahead = far_away ? available - done - chunk.rows : 0;
            double* const losses = space.losses.data();
            if (back && is_narrow_ && end - begin <= kernels_.panel_rows) {
                group.loss = double(kernels_.narrow(chunk, net.begins.data(), group.gradient, rooms_[0].get()));
                continue;
            }
            if (back && has_dropout_) each(panels(chunk.rows), [&](int64_t panel, int) { drop(space, panel, done); });
            if (goes_by_layers_) layer_by_layer(chunk, losses, back, each);
            else each(panels(chunk.rows), [&](int64_t panel, int thread) {
                losses[panel] = double(kernels_.pass(chunk, panel, back, rooms_[std::size_t(thread)].get()));
            });
            for (int64_t panel = 0; panel < panels(chunk.rows); panel++) group.loss += losses[panel];
            if (!back) continue;
            if (chunk.joined) find_front(space);
            if (chunk.front) each(panels(chunk.rows), [&](int64_t panel, int) { kernels_.to_front(chunk, panel); });
            each(int64_t(parts_.size()), [&](int64_t k, int thread) {
                const Part& part = parts_[std::size_t(k)];
                const auto [first, rows] =
                    rows_of(part, part.layer == 0 && chunk.front ? chunk.in_front : net.layers[std::size_t(part.layer)].rows);
                if (rows)
                    kernels_.gradient(chunk, part.layer, first, rows, done > begin,
                                      group.gradient + net.begins[std::size_t(part.layer)], rooms_[std::size_t(thread)].get());
            });
        }
    }

    // Which columns of x are not 0 in all rows of the chunk, where these are so few that the others are left out.
    void find_front(Workspace& space) const {
        Chunk<T>& chunk = space.chunk;
        const Layer<T>& first = net.layers[0];
        std::fill(space.seen.begin(), space.seen.end(), 0);
        for (int64_t panel = 0; panel < panels(chunk.rows); panel++)
            for (int64_t k = 0; k < first.inputs; k++) space.seen[std::size_t(k)] |= chunk.joined[panel * first.inputs + k];
        chunk.in_front = 0;
        for (int64_t k = 0; k < first.rows; k++) {
            space.front[std::size_t(chunk.in_front)] = k;
            chunk.in_front += k == first.inputs || !is_zero<T>(space.seen[std::size_t(k)]);
        }
        chunk.front = worth_leaving_out(first.rows, chunk.in_front) ? space.front.data() : nullptr;
    }

    // As Kernels::pass, but each layer takes all panels before the next one does: a large layer in parts of it for all
    // panels, another panel by panel.
    template <class Each> void layer_by_layer(const Chunk<T>& chunk, double* losses, bool back, Each each) {
        const int64_t count = panels(chunk.rows), last = chunk.depth - 1;
        const auto tiles = [&](int64_t i, int64_t blocks, auto work) {
            if (!takes_all_panels_[std::size_t(i)])
                return each(count, [&](int64_t panel, int) { work(Tile{i, panel}); });
            const int64_t parts = std::min(blocks, parts_of_layer);
            each(parts, [&](int64_t k, int) {
                const int64_t first = blocks * k / parts;
                work(Tile{i, 0, count, first, blocks * (k + 1) / parts - first});
            });
        };
        each(count, [&](int64_t panel, int) { kernels_.take_rows(chunk, panel); });
        for (int64_t i = 0; i <= last; i++)
            tiles(i, blocks_of(net.layers[std::size_t(i)].units), [&](const Tile& tile) { kernels_.forward(chunk, tile, back); });
        each(count, [&](int64_t panel, int thread) {
            losses[panel] = double(kernels_.output(chunk, panel, rooms_[std::size_t(thread)].get()));
            if (back) kernels_.scatter(chunk, last, panel);
        });
        for (int64_t i = last; back && i > 0; i--) {
            tiles(i, blocks_of(net.layers[std::size_t(i)].inputs), [&](const Tile& tile) { kernels_.back(chunk, tile); });
            each(count, [&](int64_t panel, int) { kernels_.scatter(chunk, i - 1, panel); });
        }
    }

    void drop(Workspace& space, int64_t panel, int64_t done) {
        const int64_t begin = panel * kernels_.panel_rows;
        const int64_t rows = std::min<int64_t>(kernels_.panel_rows, space.chunk.rows - begin);
        const int64_t width = (rows + kernels_.lanes - 1) / kernels_.lanes * kernels_.lanes;
        for (std::size_t i = 0; i < net.layers.size(); i++)
            if (space.masks[i])
                dropout(space.masks[i].get() + begin * net.layers[i].units, done + begin, rows, net.layers[i].units, width,
                        settings_.dropout[i], settings_.seed, uint64_t(epoch), uint64_t(batch), uint64_t(i + 1));
    }

    template <class Work> void each_piece(Pool& pool, Work work) {
        const int64_t pieces = (net.padded + piece_ - 1) / piece_;
        pool.each(pieces, [&](int64_t k, int) { work(k * piece_, std::min(piece_, net.padded - k * piece_)); }, piece_ < largest_piece);
    }

    // The sum of the groups' gradients, with penalty.
    void complete_gradient(int64_t from, int64_t numbers) {
        for (std::size_t k = 1; k < groups_.size(); k++)
            kernels_.add(gradient_.get() + from, groups_[k].gradient + from, numbers);
        if (!has_penalty_) return;
        double& penalty = penalties_[std::size_t(from / piece_)];
        penalty = 0;
        for (std::size_t i = 0; i < net.layers.size(); i++) {  // of weights, not of biases
            const int64_t begin = std::max(from, net.begins[i]);
            const int64_t end = std::min(from + numbers, net.begins[i] + net.layers[i].inputs * net.layers[i].units);
            if (begin < end)
                penalty += double(kernels_.penalise(gradient_.get() + begin, net.theta.get() + begin, end - begin,
                                                    T(settings_.l1 * penalty_scale_), T(settings_.l2 * penalty_scale_)));
        }
    }

    // By what the gradient is multiplied so that it is at most clip_norm long.
    T clipping(Pool& pool) {
        const auto sum_of = [&](auto of_number) {  // piece by piece, so that its order is the same for any threads
            each_piece(pool, [&](int64_t from, int64_t numbers) {
                double result = 0;
                for (int64_t k = from; k < from + numbers; k++) result = of_number(result, double(gradient_[std::size_t(k)]));
                squares_[std::size_t(from / piece_)] = result;
            });
        };
        sum_of([](double largest, double g) { return std::max(largest, std::abs(g)); });
        const double largest = *std::max_element(squares_.begin(), squares_.end());
        if (largest == 0) return T(1);
        sum_of([&](double sum, double g) { return sum + g / largest * (g / largest); });
        const double length = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0)) * largest;
        return length <= settings_.clip_norm ? T(1) : T(settings_.clip_norm / length);
    }

    // Early stopping: by the training loss, as Plateau in chainrule/engines/task.py, where the last parameters are kept;
    // or else by the validation loss where there is one.
    bool no_longer_better() {
        if (settings_.stopping == StoppingRule::none) return false;
        if (settings_.stopping == StoppingRule::plateau) {
            waited = losses.back() > lowest_loss - settings_.tolerance ? waited + 1 : 0;
            lowest_loss = std::min(lowest_loss, losses.back());
            return waited > settings_.patience;
        }
        const double now = validation_.rows ? validation_losses.back() : losses.back();
        if (best_epoch && !std::isnan(best_loss) && !(now < best_loss - settings_.tolerance))
            return epoch - best_epoch >= settings_.patience;
        best_epoch = epoch;
        best_loss = now;
        if (!best_theta) best_theta = zeros<T>(std::size_t(net.padded));
        std::copy_n(net.theta.get(), net.padded, best_theta.get());
        return false;
    }

    const Settings settings_;
    const Kernels<T>& kernels_;
    const Data<T> data_, validation_;
    const std::vector<int64_t> validation_rows_;
    std::vector<int64_t> order_;  // of the epoch
    const bool has_dropout_, shuffles_, has_penalty_;  // shuffles: not where all rows make one batch, whose order says nothing
    Shuffle shuffle_;
    Block<T> gradient_;
    int64_t chunk_rows_ = 0, piece_ = 0;  // piece: parameters that are updated by one thread at a time
    std::vector<Group> groups_;
    std::vector<Workspace> workspaces_;
    bool is_chain_ = false, is_narrow_ = false, goes_by_layers_ = false;
    std::vector<bool> takes_all_panels_;  // each layer
    Block<T> chain_room_;
    std::vector<Block<T>> rooms_;  // one for each thread
    std::vector<Part> parts_;
    std::vector<double> squares_, penalties_;  // of pieces
    double penalty_scale_ = 1;
    Interruption* interruption_ = nullptr;  // of the call that is under way
    bool given_up_ = false;                 // whether an interruption left work undone
    int optimizer_ = 0;
    int64_t powers_of_ = -1;  // what steps_made was
    double powers_[2] = {};
    double total_ = 0, all_weights_, validation_weights_;
};

}  // namespace chainrule
