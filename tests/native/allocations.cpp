// Trains networks with an allocator that counts, and prints how many allocations a thousand steps more have cost.
#include <cstdio>
#include <new>

#include "run.hpp"

static std::atomic<long> allocations{0};

extern "C" {
void* __real_aligned_alloc(std::size_t alignment, std::size_t size);
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t size) {
    allocations++;
    return __real_aligned_alloc(alignment, size);
}
}
void* operator new(std::size_t size) {
    allocations++;
    if (void* memory = std::malloc(size)) return memory;
    throw std::bad_alloc();
}
void* operator new(std::size_t size, std::align_val_t alignment) {
    return aligned_alloc(std::size_t(alignment),
                         (size + std::size_t(alignment) - 1) / std::size_t(alignment) * std::size_t(alignment));
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace chainrule::baseline {
const Kernels<float>& of_float();
}

using namespace chainrule;

static long cost(std::vector<int64_t> widths, OptimizerName optimizer, int64_t batch, int threads, int64_t epochs) {
    const int64_t rows = 1024;
    std::vector<float> x(std::size_t(rows * widths.front()), 0.1f), y(std::size_t(rows * widths.back()), 0.5f),
        weights(rows, 1.0f);
    Description description{widths, {}, {}};
    Settings settings{.loss = LossName::squared_error,
                      .loss_parameter = 0,
                      .divisor = double(widths.back()),
                      .optimizer = optimizer,
                      .constants = {},
                      .remembers = 0,
                      .dropout = {},
                      .l1 = 0,
                      .l2 = 0,
                      .penalty_by_weight = false,
                      .penalty_in_loss = false,
                      .clip_norm = 0,
                      .batch_size = batch,
                      .shuffle = true,
                      .seed = 3,
                      .stopping = StoppingRule::patience,
                      .patience = 5,
                      .tolerance = 0,
                      .loss_weighting = LossWeighting::weights};
    const bool chain = widths.size() > 4;
    for (std::size_t i = 1; i < widths.size(); i++) {
        description.activations.push_back({"tanh", 0});
        description.biases.push_back(!chain);
        settings.dropout.push_back(chain ? 0 : 0.1);
    }
    if (chain) {
        settings.constants = {0, 0};
    } else {
        settings.constants = {0.9, 0.999, 1e-8, 0, 0};
        settings.remembers = 2;
        settings.l2 = 0.01;
        settings.clip_norm = 1;
    }
    const Data<float> data = {x.data(), y.data(), weights.data(), nullptr, rows};
    Run<float> run(description, settings, baseline::of_float(), data, data, threads);
    std::fill_n(run.net.theta.get(), run.net.parameters, 0.1f);
    const std::vector<double> rates(std::size_t(epochs * run.steps_in_epoch), 1e-6);
    const long before = allocations;
    Interruption none([] { return false; });
    run.advance(rates.data(), 0, epochs, int64_t(1) << 60, 1e9, none);
    return allocations - before;
}

int main() {
    const auto more = [](const char* what, auto... settings) {
        std::printf("%s: %ld\n", what, cost(settings..., 40) - cost(settings..., 2));
    };
    using Widths = std::vector<int64_t>;
    more("chain", Widths{1, 1, 1, 1, 1, 1}, OptimizerName::sgd, 1, 1);
    more("small", Widths{4, 32, 3}, OptimizerName::adam, 32, 1);
    more("groups", Widths{16, 64, 26}, OptimizerName::adam, 512, 2);
    more("large layers", Widths{200, 200, 3}, OptimizerName::adam, 128, 2);
}
