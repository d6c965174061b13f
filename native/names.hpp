// Enumerations and the names that Python has for their values. Each comes from a single list: LIST(X) calls X(name, …)
// for every value, so no value depends on its position in another list.
#pragma once

namespace chainrule {

// Activations that apply to each unit separately, with their formulae in activations.hpp.
#define CHAINRULE_ACTIVATIONS_OF_UNITS(X) \
    X(identity, Identity)                 \
    X(tanh, Tanh)                         \
    X(logistic, Logistic)                 \
    X(relu, ReLU)                         \
    X(leaky_relu, LeakyReLU)              \
    X(elu, ELU)                           \
    X(selu, SELU)                         \
    X(gelu, GELU)                         \
    X(gelu_tanh, GELUTanh)                \
    X(silu, SiLU)                         \
    X(softplus, Softplus)                 \
    X(softsign, Softsign)                 \
    X(sin, Sine)                          \
    X(exponential, Exponential)
#define CHAINRULE_ACTIVATIONS(X) CHAINRULE_ACTIVATIONS_OF_UNITS(X) X(softmax)

// Losses that are sums over the outputs, with their formulae in losses.hpp; the others depend on the activation.
#define CHAINRULE_LOSSES_OF_OUTPUTS(X) \
    X(squared_error, SquaredError)     \
    X(absolute_error, AbsoluteError)   \
    X(huber, Huber)                    \
    X(log_cosh, LogCosh)               \
    X(quantile, Quantile)              \
    X(half_squared_error, HalfSquaredError)
#define CHAINRULE_LOSSES(X) CHAINRULE_LOSSES_OF_OUTPUTS(X) X(poisson) X(cross_entropy) X(binary_cross_entropy)

// Optimisers, with their formulae in optimizers.hpp and the names of their constants, in the order of StepConstants::c.
#define CHAINRULE_OPTIMIZERS(X)                                      \
    X(sgd, SGD, momentum, nesterov)                                  \
    X(adam, Adam, beta1, beta2, epsilon, epsilon_hat)                \
    X(adamw, Adam, beta1, beta2, epsilon, epsilon_hat, weight_decay) \
    X(rmsprop, RMSProp, decay, epsilon)                              \
    X(adagrad, Adagrad, epsilon)                                     \
    X(rprop, Rprop, grow, shrink)

// Functions that Python can call, to test their accuracy.
#define CHAINRULE_FUNCTIONS(X) X(exp) X(expm1) X(log) X(tanh_of_one)

#define CHAINRULE_STOPPING_RULES(X) X(none) X(patience) X(plateau)
#define CHAINRULE_LOSS_WEIGHTINGS(X) X(weights) X(rows)

// How a training step is executed; plan.hpp chooses.
#define CHAINRULE_PATHS(X) X(chain) X(narrow) X(panels) X(layers)

template <class Enum> struct NamesOf;  // names: those of all values, in the order of the list

#define CHAINRULE_VALUE(name, ...) name,
#define CHAINRULE_STRING(name, ...) #name,
#define CHAINRULE_ENUM(Enum, LIST)                                       \
    enum class Enum { LIST(CHAINRULE_VALUE) };                           \
    template <> struct NamesOf<Enum> {                                   \
        static constexpr const char* names[] = {LIST(CHAINRULE_STRING)}; \
    };

CHAINRULE_ENUM(ActivationName, CHAINRULE_ACTIVATIONS)
CHAINRULE_ENUM(LossName, CHAINRULE_LOSSES)
CHAINRULE_ENUM(OptimizerName, CHAINRULE_OPTIMIZERS)
CHAINRULE_ENUM(FunctionName, CHAINRULE_FUNCTIONS)
CHAINRULE_ENUM(StoppingRule, CHAINRULE_STOPPING_RULES)
CHAINRULE_ENUM(LossWeighting, CHAINRULE_LOSS_WEIGHTINGS)
CHAINRULE_ENUM(Path, CHAINRULE_PATHS)

// Indices of an optimiser's constants, such as adam_constants::beta1.
#define CHAINRULE_INDICES(name, formula, ...) \
    namespace name##_constants {              \
        enum { __VA_ARGS__ };                 \
    }
CHAINRULE_OPTIMIZERS(CHAINRULE_INDICES)

// Adam and AdamW share code, which takes the constants of both by the same indices.
static_assert(int(adam_constants::beta1) == int(adamw_constants::beta1));
static_assert(int(adam_constants::beta2) == int(adamw_constants::beta2));
static_assert(int(adam_constants::epsilon) == int(adamw_constants::epsilon));
static_assert(int(adam_constants::epsilon_hat) == int(adamw_constants::epsilon_hat));

}  // namespace chainrule
