// What describes a network and how it is trained, as Python passes it.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "names.hpp"

namespace chainrule {

// The value of an enumeration that has this name.
template <class Enum> Enum named(const std::string& name) {
    int value = 0;
    for (const char* const known : NamesOf<Enum>::names) {
        if (name == known) return Enum(value);
        value++;
    }
    throw std::invalid_argument("there is no native " + name);
}
template <class Enum> const char* name_of(Enum value) { return NamesOf<Enum>::names[int(value)]; }

struct Description {
    std::vector<int64_t> widths;
    std::vector<std::pair<std::string, double>> activations;  // name and parameter
    std::vector<bool> biases;
};

// chainrule/engines/settings.py documents each.
struct Settings {
    LossName loss;
    double loss_parameter, divisor;
    std::optional<OptimizerName> optimizer;  // none if only the objective is needed
    std::vector<double> constants;           // of the optimiser, after the learning rate
    int remembers;                           // how many vectors of moments it keeps
    std::vector<double> dropout;             // of each layer
    double l1, l2;
    bool penalty_by_weight, penalty_in_loss;
    double clip_norm;  // 0 for none
    int64_t batch_size;
    bool shuffle;
    uint64_t seed;
    StoppingRule stopping;
    int64_t patience;              // epochs
    double tolerance;              // by how much the loss must fall to count as progress
    LossWeighting loss_weighting;  // what a batch counts in the loss of an epoch

    bool has_penalty() const { return l1 != 0 || l2 != 0; }
    bool has_dropout() const {
        for (const double rate : dropout)
            if (rate > 0) return true;
        return false;
    }
};

}  // namespace chainrule
