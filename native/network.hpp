// A network as the kernels see it: widths padded to whole vectors, W and b of each layer one after the other.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kernels.hpp"
#include "memory.hpp"

namespace chainrule {

template <std::size_t N> int position(const char* const (&names)[N], const std::string& name) {
    for (std::size_t i = 0; i < N; i++)
        if (name == names[i]) return int(i);
    throw std::invalid_argument("there is no native " + name);
}

struct Description {
    std::vector<int64_t> widths;
    std::vector<std::pair<std::string, double>> activations;  // name and parameter
    std::vector<bool> biases;
};

template <class T> class Network {
  public:
    Network(const Description& d, int lanes) : biases_(d.biases) {
        for (std::size_t i = 0; i < d.activations.size(); i++) {
            int64_t stride = (d.widths[i + 1] + lanes - 1) / lanes * lanes;
            // Rows an even number of vectors apart would share few places of a cache.
            if (stride / lanes >= 4 && stride / lanes % 2 == 0) stride += lanes;
            layers.push_back({d.widths[i], d.widths[i + 1], stride, nullptr, nullptr,
                              position(activation_names, d.activations[i].first), T(d.activations[i].second)});
            begins.push_back(padded);
            padded += (d.widths[i] + 1) * stride;
            given += (d.widths[i] + (d.biases[i] ? 1 : 0)) * d.widths[i + 1];
            widest = std::max(widest, stride);
        }
        theta = zeros<T>(std::size_t(padded));
        for (std::size_t i = 0; i < layers.size(); i++) {
            layers[i].weights = theta.get() + begins[i];
            layers[i].bias = layers[i].weights + layers[i].inputs * layers[i].stride;
        }
    }

    // A flat vector of the parameters' form → the same padded with zeros, and back.
    void pad(const T* flat, T* to) const {
        each_row([&](int64_t units, int64_t at) {
            std::copy_n(flat, units, to + at);
            flat += units;
        });
    }
    void unpad(const T* from, T* flat) const {
        each_row([&](int64_t units, int64_t at) {
            std::copy_n(from + at, units, flat);
            flat += units;
        });
    }

    bool has_bias(std::size_t i) const { return biases_[i]; }

    std::vector<Layer<T>> layers;
    std::vector<int64_t> begins;  // where each layer's W begins
    int64_t padded = 0, given = 0, widest = 0;
    Block<T> theta;

  private:
    template <class F> void each_row(F use) const {
        for (std::size_t i = 0; i < layers.size(); i++)
            for (int64_t row = 0; row < layers[i].inputs + (biases_[i] ? 1 : 0); row++)
                use(layers[i].units, begins[i] + row * layers[i].stride);
    }
    std::vector<bool> biases_;
};

}  // namespace chainrule
