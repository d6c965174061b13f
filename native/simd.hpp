// Vectors of numbers, by the vector extensions of GCC and Clang: a + b, a < b and a ? b : c work lane by lane.
//
// Everything that is compiled for an instruction set lives in a namespace of that set's name (CHAINRULE_ISA), and
// uses no function of the standard library that could be shared with code compiled for another.
#pragma once

#include <cstdint>

#if CHAINRULE_VECTOR_BYTES == 64 && defined(__AVX512F__)
#define CHAINRULE_INTRINSIC(name) _mm512_##name
#elif CHAINRULE_VECTOR_BYTES == 32 && defined(__AVX__)
#define CHAINRULE_INTRINSIC(name) _mm256_##name
#elif CHAINRULE_VECTOR_BYTES == 16 && defined(__SSE2__)
#define CHAINRULE_INTRINSIC(name) _mm_##name
#endif
#ifdef CHAINRULE_INTRINSIC
#include <immintrin.h>
#endif

namespace chainrule::CHAINRULE_ISA {

constexpr int vector_bytes = CHAINRULE_VECTOR_BYTES;

template <class T> struct VectorOf;
template <> struct VectorOf<float> {
    typedef float numbers __attribute__((vector_size(vector_bytes)));
    typedef int32_t integers __attribute__((vector_size(vector_bytes)));
    static constexpr int32_t sign_bit = INT32_MIN;
};
template <> struct VectorOf<double> {
    typedef double numbers __attribute__((vector_size(vector_bytes)));
    typedef int64_t integers __attribute__((vector_size(vector_bytes)));
    static constexpr int64_t sign_bit = INT64_MIN;
};
template <class T> using Vec = typename VectorOf<T>::numbers;
template <class T> using Integers = typename VectorOf<T>::integers;  // also what a comparison gives: 0 or −1
template <class T> constexpr int lanes = vector_bytes / int(sizeof(T));

template <class T> inline Vec<T> load(const T* from) {
    Vec<T> v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
}
template <class T> inline void store(T* to, Vec<T> v) { __builtin_memcpy(to, &v, sizeof v); }
// x − 0 is x for every x, −0 and NaN too, so that nothing is left of it but a broadcast.
template <class T> inline Vec<T> all(T x) { return x - Vec<T>{}; }

template <class T> inline Integers<T> bits(Vec<T> v) { return __builtin_bit_cast(Integers<T>, v); }
template <class T> inline Vec<T> from_bits(Integers<T> v) { return __builtin_bit_cast(Vec<T>, v); }

template <class T> inline Vec<T> absolute(Vec<T> x) { return from_bits<T>(bits<T>(x) & ~VectorOf<T>::sign_bit); }
template <class T> inline Vec<T> with_sign_of(Vec<T> size, Vec<T> x) {
    return from_bits<T>((bits<T>(size) & ~VectorOf<T>::sign_bit) | (bits<T>(x) & VectorOf<T>::sign_bit));
}
// a < b ? a : b and a > b ? a : b, which are b if either is NaN. Compilers do not turn these comparisons into the one
// instruction that x86 has for each.
#ifdef CHAINRULE_INTRINSIC
inline Vec<float> smaller(Vec<float> a, Vec<float> b) { return CHAINRULE_INTRINSIC(min_ps)(a, b); }
inline Vec<double> smaller(Vec<double> a, Vec<double> b) { return CHAINRULE_INTRINSIC(min_pd)(a, b); }
inline Vec<float> larger(Vec<float> a, Vec<float> b) { return CHAINRULE_INTRINSIC(max_ps)(a, b); }
inline Vec<double> larger(Vec<double> a, Vec<double> b) { return CHAINRULE_INTRINSIC(max_pd)(a, b); }
#else
inline Vec<float> smaller(Vec<float> a, Vec<float> b) { return a < b ? a : b; }
inline Vec<double> smaller(Vec<double> a, Vec<double> b) { return a < b ? a : b; }
inline Vec<float> larger(Vec<float> a, Vec<float> b) { return a > b ? a : b; }
inline Vec<double> larger(Vec<double> a, Vec<double> b) { return a > b ? a : b; }
#endif

// NaN in x is passed on.
template <class T> inline Vec<T> at_most(Vec<T> x, T high) { return smaller(all<T>(high), x); }
template <class T> inline Vec<T> at_least(Vec<T> x, T low) { return larger(all<T>(low), x); }

// 0, 1, 2, …
template <class T> inline Integers<T> lane_numbers() {
    Integers<T> v;
    for (int i = 0; i < lanes<T>; i++) v[i] = i;
    return v;
}

// Lane i takes the place of lane i + by, round about.
template <class T> inline Vec<T> rotated(Vec<T> v, int by) {
#if defined(__clang__)
    Vec<T> turned;
    for (int i = 0; i < lanes<T>; i++) turned[i] = v[(i + by) % lanes<T>];
    return turned;
#else
    return __builtin_shuffle(v, lane_numbers<T>() + by);  // which counts modulo the number of lanes
#endif
}

// The sum over the lanes, halves onto halves, so that its order is always the same.
template <class T> inline T sum(Vec<T> v) {
#pragma GCC unroll 4
    for (int half = lanes<T> / 2; half; half /= 2) v += rotated<T>(v, half);
    return v[0];
}

// Of the lanes of a and then those of b, the ones of these numbers.
template <class T> inline Vec<T> picked(Vec<T> a, Vec<T> b, Integers<T> numbers) {
#if defined(__clang__)
    Vec<T> chosen;
    for (int i = 0; i < lanes<T>; i++) chosen[i] = numbers[i] < lanes<T> ? a[numbers[i]] : b[numbers[i] - lanes<T>];
    return chosen;
#else
    return __builtin_shuffle(a, b, numbers);
#endif
}

// Rows become columns: squares of 1, 2, 4, … numbers change places across the diagonal.
template <class T> inline void transpose(Vec<T> (&v)[lanes<T>]) {
    const Integers<T> lane = lane_numbers<T>();
#pragma GCC unroll 4
    for (int half = 1; half < lanes<T>; half *= 2)
#pragma GCC unroll 16
        for (int i = 0; i < lanes<T>; i++) {
            if (i & half) continue;
            const Integers<T> right = (lane & half) != 0;
            const Vec<T> a = v[i], b = v[i + half];
            v[i] = picked<T>(a, b, right ? lane + (lanes<T> - half) : lane);
            v[i + half] = picked<T>(a, b, right ? lane + lanes<T> : lane + half);
        }
}

// Lane i is the sum over the lanes of v[i]: halves onto halves, of two vectors at once.
template <class T> inline Vec<T> sums_of(Vec<T> (&v)[lanes<T>]) {
    const Integers<T> lane = lane_numbers<T>();
#pragma GCC unroll 4
    for (int half = lanes<T> / 2; half; half /= 2)
#pragma GCC unroll 16
        for (int i = 0; i < half; i++) {
            // In v[i], lanes of the same number modulo 2 · half belong together; of v[i + half] they follow those of
            // v[i].
            const Integers<T> low = (lane & half) != 0 ? lane + (lanes<T> - half) : lane;
            v[i] = picked<T>(v[i], v[i + half], low) + picked<T>(v[i], v[i + half], low + half);
        }
    return v[0];
}

}  // namespace chainrule::CHAINRULE_ISA
