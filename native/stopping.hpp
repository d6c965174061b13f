// Early stopping: when the losses of the epochs end a run, and the parameters of the best epoch.
#pragma once

#include <cmath>
#include <limits>

#include "network.hpp"

namespace chainrule {

template <class T> class Stopping {
  public:
    explicit Stopping(const Settings& settings)
        : rule_(settings.stopping), patience_(settings.patience), tolerance_(settings.tolerance) {}

    // Whether the run ends after this epoch, with its training loss, and the loss by which epochs are compared: that of
    // the validation data, if there are any.
    bool ends(int64_t epoch, double training_loss, double compared_loss, const Network<T>& net) {
        switch (rule_) {
            case StoppingRule::none: return false;
            case StoppingRule::patience: return patience_ends(epoch, compared_loss, net);
            case StoppingRule::plateau: return plateau_ends(training_loss);
        }
        return false;
    }

    // Of the rule `patience`:
    int64_t best_epoch = 0;  // 0: none yet
    double best_loss = 0;
    Buffer<T> best_theta;  // null before there is one, or after the caller took it
    // Of the rule `plateau`:
    int64_t waited = 0;  // epochs without progress
    double lowest_loss = std::numeric_limits<double>::infinity();

  private:
    // After `patience` epochs without an improvement; keeps the parameters of the best epoch.
    bool patience_ends(int64_t epoch, double loss, const Network<T>& net) {
        if (best_epoch && !std::isnan(best_loss) && !(loss < best_loss - tolerance_))
            return epoch - best_epoch >= patience_;
        best_epoch = epoch;
        best_loss = loss;
        if (!best_theta) best_theta = zeros<T>(std::size_t(net.padded));
        std::copy_n(net.theta.get(), net.padded, best_theta.get());
        return false;
    }
    // As Plateau in chainrule/engines/stopping.py: the last parameters are kept.
    bool plateau_ends(double loss) {
        waited = loss > lowest_loss - tolerance_ ? waited + 1 : 0;
        lowest_loss = std::min(lowest_loss, loss);
        return waited > patience_;
    }

    const StoppingRule rule_;
    const int64_t patience_;
    const double tolerance_;
};

}  // namespace chainrule
