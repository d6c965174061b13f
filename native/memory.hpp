// Memory that begins on a cache line, and in large pages where it is large: a wide layer's rows lie in many small ones.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace chainrule {

struct Free {
    void operator()(void* memory) const { std::free(memory); }
};
template <class T> using Buffer = std::unique_ptr<T[], Free>;

constexpr std::size_t large_page = std::size_t(1) << 21;

// Not yet set. With 64 bytes more, which whole vectors may reach into.
template <class T> Buffer<T> uninitialized(std::size_t count) {
    const std::size_t bytes = count * sizeof(T) + 64, page = bytes < large_page ? 64 : large_page;
    void* memory = std::aligned_alloc(page, (bytes + page - 1) / page * page);
    if (!memory) throw std::bad_alloc();
#if defined(__linux__)
    if (page == large_page) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return Buffer<T>(static_cast<T*>(memory));
}
template <class T> Buffer<T> zeros(std::size_t count) {
    Buffer<T> buffer = uninitialized<T>(count);
    std::fill_n(buffer.get(), count, T(0));
    return buffer;
}

}  // namespace chainrule
