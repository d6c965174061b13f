// A network as the kernels see it, with its parameters in one flat vector.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels.hpp"
#include "memory.hpp"
#include "settings.hpp"

namespace chainrule {

template <class T> class Network {
  public:
    Network(const Description& d, int lanes) {
        widest = d.widths[0];
        for (std::size_t i = 0; i < d.activations.size(); i++) {
            const int64_t inputs = d.widths[i], units = d.widths[i + 1];
            const int64_t columns = (units + lanes - 1) / lanes * lanes;
            layers.push_back({inputs, units, inputs + d.biases[i], columns, nullptr,
                              named<ActivationName>(d.activations[i].first), T(d.activations[i].second)});
            begins.push_back(parameters);
            parameters += (inputs + d.biases[i]) * units;
            widest = std::max(widest, columns);
        }
        padded = (parameters + lanes - 1) / lanes * lanes;
        theta = zeros<T>(std::size_t(padded));
        for (std::size_t i = 0; i < layers.size(); i++) layers[i].theta = theta.get() + begins[i];
    }

    std::vector<Layer<T>> layers;
    std::vector<int64_t> begins;             // where each layer's W begins
    int64_t parameters = 0, padded, widest;  // how many; to whole vectors; the greatest number of inputs or columns
    Buffer<T> theta;
};

}  // namespace chainrule
