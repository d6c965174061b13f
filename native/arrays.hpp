// NumPy's arrays as the extension takes and returns them.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "memory.hpp"

namespace chainrule {

namespace nb = nanobind;
using namespace nb::literals;

template <class T> using Vector = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T> using Matrix = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T> using Writable = nb::ndarray<T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <class T> using NumPy = nb::ndarray<nb::numpy, T>;

template <class T> NumPy<T> as_numpy(Buffer<T> numbers, std::initializer_list<std::size_t> shape) {
    T* data = numbers.release();
    return NumPy<T>(data, shape, nb::capsule(data, [](void* memory) noexcept { std::free(memory); }));
}

}  // namespace chainrule
