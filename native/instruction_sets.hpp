// The choice of an instruction set, made when the program runs.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.hpp"

namespace chainrule {

#define CHAINRULE_DECLARE(isa)          \
    namespace isa {                     \
    const Kernels<float>& of_float();   \
    const Kernels<double>& of_double(); \
    }
CHAINRULE_DECLARE(baseline)
#ifdef CHAINRULE_X86
CHAINRULE_DECLARE(avx2)
CHAINRULE_DECLARE(avx512)
#endif
#ifdef CHAINRULE_WIDE
CHAINRULE_DECLARE(wide)
#endif

// The fastest first.
inline const InstructionSet instruction_sets[] = {
#ifdef CHAINRULE_X86
    {"avx512",
     [] {
         return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("fma");
     },
     avx512::of_float, avx512::of_double},
    {"avx2", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, avx2::of_float,
     avx2::of_double},
#endif
    {"baseline", [] { return true; }, baseline::of_float, baseline::of_double},
#ifdef CHAINRULE_WIDE
    {"wide", [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }, wide::of_float,
     wide::of_double},
#endif
};

inline const InstructionSet& instruction_set(const std::string& name) {
    for (const InstructionSet& set : instruction_sets)
        if (name == set.name && set.runs_here()) return set;
    throw std::invalid_argument("this machine has no instruction set " + name);
}

template <class T> const Kernels<T>& kernels_of(const std::string& isa) {
    if constexpr (sizeof(T) == 4)
        return instruction_set(isa).of_float();
    else
        return instruction_set(isa).of_double();
}

inline std::vector<std::string> instruction_sets_of_this_machine() {
    std::vector<std::string> names;
    for (const InstructionSet& set : instruction_sets)
        if (set.runs_here()) names.emplace_back(set.name);
    return names;
}

}  // namespace chainrule
