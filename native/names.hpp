// Enumerations and the names that Python has for their values. Each comes from a single list: LIST(X) calls X(name, …) for
// every value, so no value depends on its position in another list.
#pragma once

namespace chainrule {

template <class Enum> struct NamesOf;  // names: those of all values, in the order of the list

#define CHAINRULE_VALUE(name, ...) name,
#define CHAINRULE_STRING(name, ...) #name,
#define CHAINRULE_ENUM(Enum, LIST)                                        \
    enum class Enum { LIST(CHAINRULE_VALUE) };                            \
    template <> struct NamesOf<Enum> {                                    \
        static constexpr const char* names[] = {LIST(CHAINRULE_STRING)};  \
    };

#define CHAINRULE_STOPPING_RULES(X) X(none) X(patience) X(plateau)
#define CHAINRULE_LOSS_WEIGHTINGS(X) X(weights) X(rows)

CHAINRULE_ENUM(StoppingRule, CHAINRULE_STOPPING_RULES)
CHAINRULE_ENUM(LossWeighting, CHAINRULE_LOSS_WEIGHTINGS)

}  // namespace chainrule
