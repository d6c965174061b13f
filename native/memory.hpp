// Memory that begins on a cache line.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

namespace chainrule {

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
template <class T> using Block = std::unique_ptr<T[], Free>;

// Not yet set.
template <class T> Block<T> room(std::size_t count) {
    void* memory = std::aligned_alloc(64, (count * sizeof(T) + 63) / 64 * 64 + 64);
    if (!memory) throw std::bad_alloc();
    return Block<T>(static_cast<T*>(memory));
}
template <class T> Block<T> zeros(std::size_t count) {
    Block<T> block = room<T>(count);
    std::fill_n(block.get(), count, T(0));
    return block;
}

}  // namespace chainrule
